# Sourced by tests/run and tests/demo: how the workspace is built on this machine.
#
# OpenSSL is compiled along (about three minutes) unless the system's headers can be used. Both
# scripts must decide alike, or each would throw away what the other has built.
if command -v pkg-config >/dev/null 2>&1 && pkg-config --exists openssl; then
    export OPENSSL_NO_VENDOR=1
fi
