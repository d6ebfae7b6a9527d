//! Throw-away certificates.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// A certificate authority that lives as long as the value.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A server's certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS #8.
    pub key: String,
}

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// One for `localhost` and 127.0.0.1, signed by the authority.
    #[default]
    Valid,
    /// One for another host, signed by the authority.
    OtherHost,
    /// One for `localhost` that nobody signed.
    SelfSigned,
}

impl Authority {
    /// A new authority with a key of its own.
    ///
    /// # Panics
    /// The random number generator fails.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "EchoDesk test authority");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server with these names or addresses.
    ///
    /// # Panics
    /// One of the names is not ASCII.
    #[must_use]
    pub fn certify(&self, names: &[&str]) -> ServerCertificate {
        let (params, key) = server(names);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        ServerCertificate { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// The certificate of a server on this machine that is to show this one.
    #[must_use]
    pub fn show(&self, shown: Shown) -> ServerCertificate {
        match shown {
            Shown::Valid => self.certify(&["localhost", "127.0.0.1"]),
            Shown::OtherHost => self.certify(&["mail.example.net"]),
            Shown::SelfSigned => self_signed(&["localhost", "127.0.0.1"]),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate that nobody vouches for.
///
/// # Panics
/// One of the names is not ASCII.
#[must_use]
pub fn self_signed(names: &[&str]) -> ServerCertificate {
    let (params, key) = server(names);
    let certificate = params.self_signed(&key).expect("a certificate");
    ServerCertificate { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn server(names: &[&str]) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).expect("names are ASCII");
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("server", String::as_str));
    (params, KeyPair::generate().expect("a key"))
}
