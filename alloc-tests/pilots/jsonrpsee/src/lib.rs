//! A JSON-RPC service as jsonrpsee's users write it: `add` adds two numbers, and who has called `join` gets all that
//! others `say`.

use jsonrpsee::core::SubscriptionResult;
use jsonrpsee::server::{PendingSubscriptionSink, RpcModule, ServerConfig, StopHandle};
use jsonrpsee::server::{
    RegisterMethodError, Server, TowerServiceBuilder, serve_with_graceful_shutdown,
};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::value::to_raw_value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast;
use tower::layer::util::Identity;

type Room = broadcast::Sender<String>;

/// The service; a clone shares its room and its limit of connections.
#[derive(Clone)]
pub struct Service {
    builder: TowerServiceBuilder<Identity, Identity>,
    methods: RpcModule<Room>,
    stop: StopHandle,
}

impl Service {
    /// A service that ends its connections when `stop` says so.
    pub fn new(stop: StopHandle) -> Result<Self, RegisterMethodError> {
        // By default the hundred and first connection is refused with 429.
        let config = ServerConfig::builder().ws_only().max_connections(10_000).build();
        let builder = Server::builder().set_config(config).to_service_builder();
        Ok(Self { builder, methods: methods()?, stop })
    }

    /// Serves one connection until its peer or the service ends it.
    pub async fn connection(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let service = self.builder.build(self.methods, self.stop.clone());
        // An error is that of one connection, whose peer knows.
        _ = serve_with_graceful_shutdown(stream, service, self.stop.shutdown()).await;
    }
}

fn methods() -> Result<RpcModule<Room>, RegisterMethodError> {
    let mut module = RpcModule::new(broadcast::channel(64).0);
    module.register_method("add", |params, _, _| {
        let [left, right]: [i64; 2] = params.parse()?;
        Ok::<_, ErrorObjectOwned>(left + right)
    })?;
    module.register_method("say", |params, room, _| {
        let text: String = params.one()?;
        #[cfg(feature = "planted")]
        let text = String::from_iter(text.chars()); // planted
        // The number of listeners; without one, it is an error.
        Ok::<_, ErrorObjectOwned>(room.send(text).unwrap_or_default())
    })?;
    module.register_subscription("join", "said", "leave", |_, sink, room, _| {
        join(sink, room.subscribe())
    })?;
    Ok(module)
}

async fn join(
    pending: PendingSubscriptionSink,
    mut said: broadcast::Receiver<String>,
) -> SubscriptionResult {
    let sink = pending.accept().await?;
    loop {
        tokio::select! {
            () = sink.closed() => return Ok(()),
            text = said.recv() => sink.send(to_raw_value(&text?)?).await?,
        }
    }
}
