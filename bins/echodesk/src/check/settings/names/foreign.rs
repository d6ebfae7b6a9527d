//! Names that look like ours and are read by others.

/// What Django, django-environ, django-storages and EchoDesk read of the same families, and we do not. From the
/// references of their settings.
const NAMES: &[&str] = &[
    "AWS_S3_ADDRESSING_STYLE",
    "AWS_S3_CLIENT_CONFIG",
    "AWS_S3_CUSTOM_DOMAIN",
    "AWS_S3_FILE_OVERWRITE",
    "AWS_S3_GZIP",
    "AWS_S3_MAX_MEMORY_SIZE",
    "AWS_S3_OBJECT_PARAMETERS",
    "AWS_S3_PROXIES",
    "AWS_S3_SECURE_URLS",
    "AWS_S3_SESSION_PROFILE",
    "AWS_S3_SIGNATURE_NAME",
    "AWS_S3_SIGNATURE_VERSION",
    "AWS_S3_TRANSFER_CONFIG",
    "AWS_S3_URL_PROTOCOL",
    "AWS_S3_USE_SSL",
    "AWS_S3_USE_THREADS",
    "AWS_S3_VERIFY",
    "DATABASE_APPS_MAPPING",
    "DATABASE_ROUTERS",
    "DB_ATOMIC_REQUESTS",
    "DB_AUTOCOMMIT",
    "DB_CHARSET",
    "DB_CONNECT_TIMEOUT",
    "DB_CONN_HEALTH_CHECKS",
    "DB_CONN_MAX_AGE",
    "DB_DISABLE_SERVER_SIDE_CURSORS",
    "DB_ENGINE",
    "DB_MAX_CONNECTIONS",
    "DB_OPTIONS",
    "DB_POOL_SIZE",
    "DB_SCHEMA",
    "DB_SSLCERT",
    "DB_SSLKEY",
    "DB_SSLROOTCERT",
    "DB_TEST_NAME",
    "EMAIL_SSL_CERTFILE",
    "EMAIL_SSL_KEYFILE",
    "EMAIL_SUBJECT_PREFIX",
    "EMAIL_URL",
    "EMAIL_USE_LOCALTIME",
    "SECRET_KEY_FALLBACKS",
];

/// Whether others read this name: one of the list, or one that Kubernetes or Docker makes of the name of a service
/// (`DB_SERVICE_HOST`, `DB_PORT_5432_TCP_ADDR`).
pub(super) fn is_known(name: &str) -> bool {
    let is_of_service = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.split_once("_PORT_").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    is_of_service || NAMES.contains(&name)
}
