// An echo server for `compare`, with net as its documentation shows it: a goroutine for each connection.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	host := flag.String("host", "127.0.0.1", "numeric address")
	port := flag.Int("port", 0, "0 takes a free one")
	readTimeout := flag.Int("read-timeout", 0, "seconds that each read may take, 0 for ever")
	processors := flag.Int("processors", 1, "threads that run goroutines at once; one, like the other servers")
	local := flag.String("local", "", "a local socket's path")
	flag.Parse()
	runtime.GOMAXPROCS(*processors)
	network, address := "tcp", fmt.Sprintf("%s:%d", *host, *port)
	if *local != "" {
		os.Remove(*local)
		network, address = "unix", *local
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		listener.Close()
		os.Exit(0)
	}()
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go echo(connection, time.Duration(*readTimeout)*time.Second)
	}
}

func echo(connection net.Conn, timeout time.Duration) {
	defer connection.Close()
	buffer := make([]byte, 65536)
	for {
		if timeout > 0 {
			connection.SetReadDeadline(time.Now().Add(timeout))
		}
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}
