//! Whose certificates are trusted: those the system trusts, so that a company's proxy works where
//! its own programs do.

use ureq::tls::RootCerts;

/// The certificates in the system's files, or in those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
/// Mozilla's, as the program brings them, on a system without any.
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

/// The system is asked about each certificate.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub(crate) fn roots() -> RootCerts {
    RootCerts::PlatformVerifier
}
