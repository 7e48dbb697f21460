//! HTTP client for mirrors.

use std::error::Error;
use std::io;
use std::time::Duration;

use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy};

use crate::answer::Head;
use crate::error::Problem;
use crate::roots::roots;

/// Timeouts and retries for mirrors.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// Timeout for name resolution and for connecting, each.
    pub(crate) connection: Duration,
    /// Timeout for the response head, and for the next bytes.
    pub(crate) silence: Duration,
    /// Pause before retrying an interrupted mirror; doubles each time.
    pub(crate) pause: Duration,
    /// Number of consecutive interrupted attempts without progress before a mirror is given up.
    pub(crate) tries: u32,
    /// Proxy between this machine and the mirror.
    pub(crate) proxy: Option<Proxy>,
}

impl Patience {
    /// Returns timeouts that people accept, and the proxy from the environment.
    pub(crate) fn usual() -> Self {
        Self {
            connection: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            tries: 5,
            proxy: Proxy::try_from_env(),
        }
    }
}

/// Returns the client for a mirror's address. An `https` mirror may not redirect to plain `http`.
pub(crate) fn agent(url: &str, patience: &Patience) -> Result<Agent, Problem> {
    let uri: Uri = url.parse().map_err(|_| Problem::Address)?;
    let secure = match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(_)) => false,
        _ => return Err(Problem::Address),
    };
    let config = Agent::config_builder()
        .https_only(secure)
        .tls_config(TlsConfig::builder().root_certs(roots()).build())
        .proxy(patience.proxy.clone())
        .http_status_as_error(false)
        .user_agent(concat!("resnet/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .timeout_resolve(Some(patience.connection))
        .timeout_connect(Some(patience.connection))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_per_write(Some(patience.silence))
        .build();
    Ok(Agent::new_with_config(config))
}

/// Attributes a failed connection to the proxy, if there is one.
pub(crate) fn blame_proxy(problem: Problem, url: &str, patience: &Patience) -> Problem {
    match (problem, &patience.proxy, url.parse()) {
        (Problem::Connection { reason }, Some(proxy), Ok(uri)) if !proxy.is_no_proxy(&uri) => {
            Problem::Proxy {
                proxy: format!("{}:{}", proxy.host(), proxy.port()),
                reason,
            }
        }
        (problem, ..) => problem,
    }
}

/// Extracts the relevant fields of a response head whose body has `length` bytes.
pub(crate) fn head(status: u16, length: Option<u64>, headers: &HeaderMap) -> Head {
    let field = |name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    // A weak tag means that files are equivalent, not that their bytes are equal.
    let tag = field(header::ETAG).filter(|tag| tag.starts_with('"'));
    Head {
        status,
        length,
        range: field(header::CONTENT_RANGE),
        validator: tag.or_else(|| field(header::LAST_MODIFIED)),
    }
}

/// Converts an error of the HTTP library.
pub(crate) fn problem(error: ureq::Error) -> Problem {
    match error {
        ureq::Error::Timeout(_) => Problem::Silent,
        ureq::Error::TooManyRedirects => Problem::Redirects,
        ureq::Error::RequireHttpsOnly(_) => Problem::Answer {
            reason: "it redirects from https to an insecure address".to_owned(),
        },
        ureq::Error::BadUri(_) => Problem::Answer {
            reason: "it redirects to an invalid address".to_owned(),
        },
        ureq::Error::Http(_)
        | ureq::Error::Protocol(_)
        | ureq::Error::LargeResponseHeader(..)
        | ureq::Error::RedirectFailed
        | ureq::Error::BodyStalled => Problem::Answer {
            reason: shown(&error),
        },
        ureq::Error::Rustls(error) => tls_problem(&error),
        ureq::Error::Io(error) => io_problem(&error),
        error => Problem::Connection {
            reason: shown(&error),
        },
    }
}

fn io_problem(error: &io::Error) -> Problem {
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return tls_problem(error);
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Problem::Silent,
        _ => Problem::Connection {
            reason: shown(error),
        },
    }
}

fn tls_problem(error: &rustls::Error) -> Problem {
    let reason = shown(error);
    match error {
        rustls::Error::InvalidCertificate(_) => Problem::Certificate { reason },
        _ => Problem::Connection { reason },
    }
}

/// Maximum length of a displayed reason, in characters.
const LONGEST_SHOWN: usize = 200;

/// Returns a library's message, which may contain untrusted text, without control characters and
/// limited in length.
fn shown(error: &dyn Error) -> String {
    let text = error.to_string();
    let text = text.chars().map(|letter| match letter {
        letter if letter.is_control() => ' ',
        letter => letter,
    });
    text.take(LONGEST_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_are_requested() {
        let patience = Patience::usual();
        for url in [
            "",
            "file",
            "/file",
            "ftp://mirror/file",
            "https://",
            "https:///a",
            "http://a b",
        ] {
            assert!(
                matches!(agent(url, &patience), Err(Problem::Address)),
                "{url}"
            );
        }
        for url in [
            "https://mirror/file",
            "http://mirror:80/a/b?c=d",
            "http://[::1]/file",
        ] {
            assert!(agent(url, &patience).is_ok(), "{url}");
        }
    }

    #[test]
    fn weak_etags_are_ignored() {
        let mut headers = HeaderMap::new();
        assert_eq!(head(200, Some(3), &headers).validator, None);
        headers.insert(
            "last-modified",
            "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap(),
        );
        headers.insert("etag", "W/\"1\"".parse().unwrap());
        let validator = head(200, Some(3), &headers).validator.unwrap();
        assert!(validator.starts_with("Sun"));
        headers.insert("etag", "\"1\"".parse().unwrap());
        assert_eq!(head(200, Some(3), &headers).validator.unwrap(), "\"1\"");
    }

    #[test]
    fn certificate_errors_differ_from_connection_errors() {
        let certificate =
            rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, certificate);
        assert!(matches!(
            problem(ureq::Error::Io(wrapped)),
            Problem::Certificate { .. }
        ));
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(
            problem(ureq::Error::Io(reset)),
            Problem::Connection { .. }
        ));
    }
}
