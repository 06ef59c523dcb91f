//! Names in certificates, as MySQL compares them: `/C=SE/O=Firn/CN=client`.

/// What a client's certificate says of it. Its signature was checked before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;

/// Attributes of names, by their object identifiers in DER.
const ATTRIBUTES: [(&[u8], &str); 14] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
];

/// Values one after the other, each with its tag and length.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value and its tag; `None` at the end, and where it is no DER.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if bytes.is_empty() || bytes.len() > 4 {
                return None;
            }
            length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    /// The next value, if it has this tag.
    fn one(&mut self, wanted: u8) -> Option<Der<'a>> {
        let (tag, value) = self.next()?;
        (tag == wanted).then_some(Der(value))
    }
}

impl ClientCertificate {
    /// The names of a certificate; `None` if it is none.
    pub fn from_der(certificate: &[u8]) -> Option<Self> {
        let mut body = Der(certificate).one(SEQUENCE)?.one(SEQUENCE)?;
        if body.0.first() == Some(&VERSION) {
            body.next()?;
        }
        body.one(INTEGER)?;
        body.one(SEQUENCE)?;
        let issuer = name(body.one(SEQUENCE)?)?;
        body.one(SEQUENCE)?;
        let subject = name(body.one(SEQUENCE)?)?;
        Some(Self { subject, issuer })
    }
}

fn name(mut parts: Der<'_>) -> Option<String> {
    let mut out = String::new();
    while !parts.0.is_empty() {
        let mut set = parts.one(SET)?;
        while !set.0.is_empty() {
            let mut pair = set.one(SEQUENCE)?;
            let id = pair.one(OBJECT_ID)?.0;
            let (_, value) = pair.next()?;
            let known = ATTRIBUTES.iter().find(|(known, _)| *known == id);
            out.push('/');
            match known {
                Some((_, name)) => out.push_str(name),
                None => out.push_str(&dotted(id)),
            }
            out.push('=');
            for byte in value {
                match byte {
                    b' '..=b'~' => out.push(char::from(*byte)),
                    other => out.push_str(&format!("\\x{other:02X}")),
                }
            }
        }
    }
    Some(out)
}

/// An object identifier as numbers with dots between.
fn dotted(id: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number = 0u64;
    for byte in id {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first);
                number -= first * 40;
            }
            numbers.push(number);
            number = 0;
        }
    }
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    #[test]
    fn names_are_as_openssl_prints_them_on_a_line() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // What it comes with would keep its place.
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, "SE"),
            (DnType::OrganizationName, "Snow & Ice"),
            (DnType::CommonName, "a client"),
            (DnType::CustomDnType(vec![2, 5, 4, 65]), "z\u{fc}"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = ClientCertificate::from_der(made.der()).unwrap();
        assert_eq!(read.subject, "/C=SE/O=Snow & Ice/CN=a client/2.5.4.65=z\\xC3\\xBC");
        assert_eq!(read.issuer, read.subject);
    }

    #[test]
    fn what_is_cut_off_is_no_certificate() {
        let made = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
        let der = made.cert.der();
        assert!(ClientCertificate::from_der(der).is_some());
        for length in 0..der.len() {
            assert_eq!(ClientCertificate::from_der(&der[..length]), None, "{length}");
        }
        assert_eq!(ClientCertificate::from_der(&[0x30, 0x84, 255, 255, 255, 255, 1]), None);
    }
}
