use super::*;

/// Made with Python's hashlib and hmac, by Django's own recipe.
const SIGNED: [(&str, &str); 5] = [
    ("hunter2", "fCbvrHPAWAZvAhrCXf0gPwCrtELz8KXxjDwM1x88cuQ"),
    ("a:b::c", "PktHvV5DruxcReKTc1Tb2hxUZxjaoD0MnCN9Qq4ujLI"),
    ("პაროლი ☂", "584fbpoh9xp1CKh1OYm0nOkOql5zIRrOGKaEfjZWv7U"),
    ("", "w6fUQ7We-P7-a5G9fNyxPW2vdziJKm-A-x0WqUN6yro"),
    ("echodesk$1$x", "lBvCyG1UUxYohrYfLLRPVZpat9yxNTxg9aNq6T786CI"),
];
const DJANGO_KEY: &str = "django-insecure-test-key";

/// `pässword` for `acme` under the nonce 00…0b, made with Python's cryptography.
const SEALED: &str = "echodesk$1$AAECAwQFBgcICQoL$4JkIElRY-UdRiP1z8UwCdgSxTqkAYZ1nLg";
const OWN_KEY: &str = "0123456789abcdef0123456789abcdef";

fn keys() -> CredentialKeys {
    CredentialKeys { django: Some(Secret::new(DJANGO_KEY)), own: Some(Secret::new(OWN_KEY)) }
}

fn acme() -> SchemaName {
    "acme".parse().unwrap()
}

fn open_with(stored: &str, keys: &CredentialKeys) -> Result<String, CredentialError> {
    open(&Secret::new(stored), keys, &acme()).map(|password| password.expose().to_owned())
}

#[test]
fn rows_signed_by_django_open() {
    for (password, signature) in SIGNED {
        assert_eq!(open_with(&format!("{password}:{signature}"), &keys()).as_deref(), Ok(password));
    }
}

#[test]
fn a_wrong_signature_says_what_may_have_happened() {
    let (password, signature) = SIGNED[0];
    let row = format!("{password}:{signature}");
    let rotated = CredentialKeys { django: Some(Secret::new("another")), ..keys() };
    assert_eq!(open_with(&row, &rotated), Err(CredentialError::SignatureMismatch));
    for altered in [format!("hunter3:{signature}"), format!("{password}:"), format!("{password}:{signature}=!")] {
        assert_eq!(open_with(&altered, &keys()), Err(CredentialError::SignatureMismatch), "{altered}");
    }
    assert!(CredentialError::SignatureMismatch.to_string().contains("SECRET_KEY was rotated or the row was altered"));
}

#[test]
fn rows_of_ours_open_for_their_tenant_only() {
    assert_eq!(open_with(SEALED, &keys()).as_deref(), Ok("pässword"));
    let other = open(&Secret::new(SEALED), &keys(), &"other".parse().unwrap());
    assert_eq!(other.unwrap_err(), CredentialError::CannotOpen);
    let rotated = CredentialKeys { own: Some(Secret::new("f".repeat(32))), ..keys() };
    assert_eq!(open_with(SEALED, &rotated), Err(CredentialError::CannotOpen));
    let altered = SEALED.replace("4JkI", "4JkJ");
    assert_eq!(open_with(&altered, &keys()), Err(CredentialError::CannotOpen));
}

#[test]
fn what_is_sealed_opens_and_never_looks_the_same_twice() {
    for password in ["", "hunter2", "a:b$c", "პაროლი ☂"] {
        let seal = || seal(&Secret::new(password), &Secret::new(OWN_KEY), &acme()).unwrap().expose().to_owned();
        let (one, two) = (seal(), seal());
        assert_ne!(one, two);
        assert!(password.is_empty() || !one.contains(password));
        assert_eq!(open_with(&one, &keys()).as_deref(), Ok(password));
        assert_eq!(open_with(&two, &keys()).as_deref(), Ok(password));
    }
}

#[test]
fn a_missing_or_short_key_is_named() {
    let none = CredentialKeys::default();
    let error = open_with("hunter2:abc", &none).unwrap_err();
    assert_eq!(error, CredentialError::NoDjangoKey);
    assert!(error.to_string().contains("SECRET_KEY is not set"));
    let error = open_with(SEALED, &none).unwrap_err();
    assert_eq!(error, CredentialError::NoOwnKey);
    assert!(error.to_string().contains("ECHODESK_SECRET_KEY is not set"));

    let short = Secret::new("x".repeat(31));
    let error = seal(&Secret::new("p"), &short, &acme()).unwrap_err();
    assert_eq!(error, CredentialError::KeyTooShort { length: 31 });
    assert!(error.to_string().contains("ECHODESK_SECRET_KEY has 31 characters"));
    let short = CredentialKeys { own: Some(short), ..none };
    assert_eq!(open_with(SEALED, &short), Err(CredentialError::KeyTooShort { length: 31 }));
}

#[test]
fn what_is_neither_is_malformed() {
    for stored in
        ["", "hunter2", "echodesk$", "echodesk$1$", "echodesk$2$AAAA$AAAA", "echodesk$1$AAAA$AAAA", "echodesk$1$!$!"]
    {
        assert_eq!(open_with(stored, &keys()), Err(CredentialError::Malformed), "{stored}");
    }
}
