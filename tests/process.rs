//! The process keeps its word to whoever starts it: every wrong setting is one clear line, every line is
//! JSON, every end has its code, and no secret is ever said.

mod canaries;
mod configuration;
mod credentials;
mod lines;
mod places;
mod secrets;
