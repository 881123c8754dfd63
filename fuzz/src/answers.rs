//! What others say: registries, and lists of images.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "it touches the world")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use delta_core::digest::BlobDigest;
use delta_core::job::progress::Silent;
use delta_transport::lists;
use delta_transport::registry::{Access, Address, Referrers, Registries};
use delta_transport::spool::TempScratch;

use crate::parts;

const PATIENCE: Duration = Duration::from_secs(2);

/// Any file is a list, or says why not.
pub fn lists(data: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, data).expect("a file");
    let _ = lists::plain(file.path());
    let _ = lists::compose(file.path(), &|name| (name.len() == 1).then(|| name.to_owned()));
    let _ = lists::kubernetes(file.path());
}

/// A registry of one image, whose answers are those of an input; every answer is framed rightly, for that is the business of a library.
struct Server {
    port: u16,
    stock: Arc<Mutex<Stock>>,
}

/// What it has: by the end of the path that is asked for.
type Stock = Vec<(String, Answer)>;

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    let stock = Arc::new(Mutex::new(Vec::new()));
    let held = Arc::clone(&stock);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asks may be gone.
            let _ = answer(stream, &held);
        }
    });
    Server { port, stock }
});

fn answer(stream: TcpStream, stock: &Mutex<Stock>) -> std::io::Result<()> {
    let mut request = BufReader::new(stream);
    let mut line = String::new();
    request.read_line(&mut line)?;
    while request.fill_buf()?.first().is_some_and(|byte| *byte != b'\r') {
        request.read_line(&mut String::new())?;
    }
    let path = line.split(' ').nth(1).unwrap_or_default();
    let known =
        stock.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|(end, _)| path.ends_with(end)).cloned();
    let nothing = Answer { status: 404, headers: String::new(), body: Vec::new() };
    let Answer { status, headers, body } = known.map_or(nothing, |(_, answer)| answer);
    let length = body.len();
    let mut stream = request.into_inner();
    write!(stream, "HTTP/1.1 {status} Said\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n")?;
    if line.starts_with("HEAD") { Ok(()) } else { stream.write_all(&body) }
}

/// Answers that let a client go on; after others it waits and asks again.
const STATUSES: [u16; 4] = [200, 404, 401, 307];

/// A registry that says anything gives an image, or an error. Where the documents say `CONFIG` and `LAYER` are the digests of what comes as
/// config and layer; `HOST` in a header is this registry, and no other is ever named.
pub fn registry(data: &[u8]) {
    let server = &*SERVER;
    let [status, headers, manifest, config, layer, referrers] = parts(data);
    let host = format!("127.0.0.1:{}", server.port);
    let headers: String = String::from_utf8_lossy(headers)
        .lines()
        .filter(|line| line.contains(':') && !line.contains("://") && line.is_ascii() && !line.contains('\r'))
        .filter(|line| {
            !line.to_ascii_lowercase().starts_with("content-length")
                && !line.to_ascii_lowercase().starts_with("transfer")
        })
        .map(|line| line.replace("HOST", &format!("http://{host}")) + "\r\n")
        .collect();
    let layer_digest = BlobDigest::of(layer).to_string();
    let config = String::from_utf8_lossy(config).replace("LAYER", &layer_digest).into_bytes();
    let config_digest = BlobDigest::of(&config).to_string();
    let with_digests = |text: &[u8]| {
        String::from_utf8_lossy(text).replace("CONFIG", &config_digest).replace("LAYER", &layer_digest).into_bytes()
    };
    let manifest = with_digests(manifest);
    let status = STATUSES[usize::from(status.first().copied().unwrap_or_default()) % STATUSES.len()];
    let plain = |body: &[u8]| Answer { status: 200, headers: headers.clone(), body: body.to_vec() };
    let digest = BlobDigest::of(&manifest).to_string();
    *server.stock.lock().unwrap_or_else(PoisonError::into_inner) = vec![
        ("/manifests/v1".to_owned(), Answer { status, ..plain(&manifest) }),
        (format!("/manifests/{digest}"), plain(&manifest)),
        (format!("/referrers/{digest}"), plain(&with_digests(referrers))),
        (config_digest.clone(), plain(&config)),
        (layer_digest.clone(), plain(layer)),
        ("/v2/".to_owned(), plain(b"{}")),
    ];
    let access =
        Access { credentials: Vec::new(), tls_ca: None, plain_http: true, patience: PATIENCE, downloads: None };
    let address: Address = format!("docker://{host}/a/b:v1").parse().expect("an address");
    let scratch = Arc::new(TempScratch::new(None).expect("a folder for temporary files"));
    let Ok(images) = Registries::new(access, Arc::new(Silent)).open(&address, Referrers::Taken, &scratch) else {
        return;
    };
    for layer in images.iter().flat_map(|image| &image.manifests).flat_map(|manifest| &manifest.layers) {
        // What cannot be had says so.
        let _ = layer.content.stored();
    }
}
