//! An echo server for `compare`, on tokio's runtime of one thread, or of several: a task for each connection.
//!
//!     echo-tokio [--host ADDRESS] [--port PORT] [--local PATH] [--threads COUNT] [--read-timeout SECONDS]

use std::{env, io, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Builder;
use tokio::signal::unix::{signal, SignalKind};

async fn echo<Stream: AsyncRead + AsyncWrite + Unpin>(mut connection: Stream, timeout: Option<Duration>) -> io::Result<()> {
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

fn main() -> io::Result<()> {
    let threads = option("--threads").map_or(1, |text| text.parse().expect("a number"));
    let runtime = if threads == 1 {
        Builder::new_current_thread().enable_all().build()?
    } else {
        Builder::new_multi_thread().worker_threads(threads).enable_all().build()?
    };
    runtime.block_on(async { match option("--local") {
        Some(path) => serve_locally(path).await,
        None => serve().await,
    } })
}

async fn serve_locally(path: String) -> io::Result<()> {
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    println!("listening on {path}");
    let mut end = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((connection, _)) = accepted {
                    tokio::spawn(echo(connection, None));
                }
            }
            _ = end.recv() => return std::fs::remove_file(&path),
        }
    }
}

async fn serve() -> io::Result<()> {
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
                    connection.set_nodelay(true)?;
                    tokio::spawn(echo(connection, timeout));
                }
            }
            _ = end.recv() => return Ok(()),
        }
    }
}
