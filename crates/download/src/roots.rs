//! Trusted certificates: those of the system, so that downloads work behind a company's proxy like
//! the system's own programs.

use ureq::tls::RootCerts;

/// Returns the certificates in the system's files, or in those named by `SSL_CERT_FILE` and
/// `SSL_CERT_DIR`. On a system without any, returns the bundled certificates of Mozilla.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub(crate) fn roots() -> RootCerts {
    use std::sync::OnceLock;
    use ureq::tls::Certificate;

    static ROOTS: OnceLock<RootCerts> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let found = rustls_native_certs::load_native_certs().certs;
            if found.is_empty() {
                return RootCerts::WebPki;
            }
            let certificates: Vec<_> = found
                .iter()
                .map(|certificate| Certificate::from_der(certificate).to_owned())
                .collect();
            RootCerts::new_with_certs(&certificates)
        })
        .clone()
}

/// Lets the system verify each certificate.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub(crate) fn roots() -> RootCerts {
    RootCerts::PlatformVerifier
}
