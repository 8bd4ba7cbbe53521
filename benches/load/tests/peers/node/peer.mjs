// Echo and push with ws. See benches/load/tests/load/peers.rs for what is expected of it.
import { WebSocketServer } from "ws";

const counts = { "/echo": { received: 0, sent: 0 }, "/push": { received: 0, sent: 0 } };
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.env.PORT ?? 0) });

server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket, request) => {
  const count = counts[request.url];
  const send = (message, options) => socket.send(message, options, (error) => error || count.sent++);
  socket.on("message", (message, binary) => {
    count.received++;
    if (request.url === "/echo") send(message, { binary });
  });
  if (request.url !== "/push") return;
  let seq = 0;
  const timer = setInterval(() => send(JSON.stringify({ seq: seq++, at: Date.now() }), {}), 10);
  socket.on("close", () => clearInterval(timer));
});
process.on("SIGTERM", () => {
  console.log(JSON.stringify(counts));
  process.exit();
});
