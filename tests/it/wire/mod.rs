//! `firn up` as clients meet it: started, stopped, killed, moved.

mod crash;
mod history;
mod idle;
<<<<<<< HEAD
pub(crate) mod server;
=======
mod online;
mod server;
>>>>>>> e81f16d (ALTER TABLE beside writers: new indexes and tables written anew follow what others change, progress is shown, nothing is left behind by a crash; LOCK=NONE is refused where writers would wait)
mod up;

pub(crate) use server::Server;
