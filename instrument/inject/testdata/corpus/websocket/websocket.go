// Package websocket upgrades connections.
//
//corpus:want ws GET /ws 101: /ws
package websocket

import (
	"net/http"

	"github.com/gorilla/websocket"
)

var upgrader websocket.Upgrader

func Main(addr string) error {
	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		kind, message, err := conn.ReadMessage()
		if err == nil {
			conn.WriteMessage(kind, message)
		}
	})
	return http.ListenAndServe(addr, nil)
}
