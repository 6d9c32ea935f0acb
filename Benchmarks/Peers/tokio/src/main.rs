//! An echo server for `compare`, on tokio's runtime of one thread: a task for each connection.
//!
//!     echo-tokio [--host ADDRESS] [--port PORT] [--read-timeout SECONDS]

use std::{env, io, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, SignalKind};

async fn echo(mut connection: TcpStream, timeout: Option<Duration>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 65536];
    loop {
        let reading = connection.read(&mut buffer);
        let count = match timeout {
            Some(timeout) => tokio::time::timeout(timeout, reading).await??,
            None => reading.await?,
        };
        if count == 0 {
            return Ok(());
        }
        connection.write_all(&buffer[..count]).await?;
    }
}

fn option(name: &str) -> Option<String> {
    let mut words = env::args().skip_while(|word| word != name);
    words.next().and_then(|_| words.next())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let host = option("--host").unwrap_or("127.0.0.1".into());
    let port = option("--port").unwrap_or("0".into());
    let timeout = option("--read-timeout").map(|text| Duration::from_secs(text.parse().expect("seconds")));
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut end = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((connection, _)) = accepted {
                    tokio::spawn(echo(connection, timeout));
                }
            }
            _ = end.recv() => return Ok(()),
        }
    }
}
