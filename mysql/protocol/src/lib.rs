//! MySQL's client/server protocol, for servers, clients and proxies.
#![forbid(unsafe_code)]
