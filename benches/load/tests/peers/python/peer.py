"""Echo and push with websockets. See benches/load/tests/load/peers.rs for what is expected of it."""

import asyncio
import json
import os
import signal
import time

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

counts = {path: {"received": 0, "sent": 0} for path in ("/echo", "/push")}


async def echo(socket, count):
    async for message in socket:
        count["received"] += 1
        await socket.send(message)
        count["sent"] += 1


async def push(socket, count):
    seq = 0
    while True:
        await socket.send(json.dumps({"seq": seq, "at": time.time_ns() // 1_000_000}))
        count["sent"] += 1
        seq += 1
        await asyncio.sleep(0.01)


async def attend(socket):
    path = socket.request.path
    try:
        await (echo if path == "/echo" else push)(socket, counts[path])
    except ConnectionClosed:
        pass


async def main():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with serve(attend, "127.0.0.1", int(os.environ.get("PORT", 0))) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await ended.wait()
        print(json.dumps(counts), flush=True)


asyncio.run(main())
