// Echo and push with gorilla/websocket. See benches/load/tests/load/peers.rs for what is expected of it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

type messages struct {
	Received uint64 `json:"received"`
	Sent     uint64 `json:"sent"`
}

var (
	echoed, pushed messages
	upgrader       = websocket.Upgrader{}
)

func echo(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		atomic.AddUint64(&echoed.Received, 1)
		if socket.WriteMessage(kind, message) != nil {
			return
		}
		atomic.AddUint64(&echoed.Sent, 1)
	}
}

func push(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	// The reader answers the peer's close; what is written after that is an error, and not counted.
	go func() {
		for {
			if _, _, err := socket.NextReader(); err != nil {
				socket.Close()
				return
			}
		}
	}()
	for seq := 0; ; seq++ {
		update := fmt.Sprintf(`{"seq":%d,"at":%d}`, seq, time.Now().UnixMilli())
		if socket.WriteMessage(websocket.TextMessage, []byte(update)) != nil {
			return
		}
		atomic.AddUint64(&pushed.Sent, 1)
		time.Sleep(10 * time.Millisecond)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/push", push)
	go http.Serve(listener, nil)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
	counts, _ := json.Marshal(map[string]*messages{"/echo": &echoed, "/push": &pushed})
	fmt.Println(string(counts))
}
