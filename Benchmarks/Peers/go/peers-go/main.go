// What `tasks` and `lines` measure, in Go: a row of nanoseconds and a name each, CPU time of the process.
//
//	peers-go tasks ROUNDS COUNT
//	peers-go lines ROUNDS COUNT LENGTH
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	must(err)
	return value
}

// cpuTime of the process, in nanoseconds.
func cpuTime() int64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func show(name string, rounds, count int, work func()) {
	var times []float64
	for round := 0; round <= rounds; round++ {
		start := cpuTime()
		work()
		// The first round warms up.
		if round > 0 {
			times = append(times, float64(cpuTime()-start)/float64(count))
		}
	}
	sort.Float64s(times)
	fmt.Printf("%.1f %s\n", times[len(times)/2], name)
}

func main() {
	// One core, like a loop.
	runtime.GOMAXPROCS(1)
	switch os.Args[1] {
	case "tasks":
		tasks(number(2), number(3))
	case "lines":
		lines(number(2), number(3), number(4))
	case "write":
		write(os.Args[2], number(3), number(4))
	}
}

func tasks(rounds, count int) {
	show("Go: context.WithTimeout that is not needed", rounds, count, func() {
		for i := 0; i < count; i++ {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			done := make(chan struct{})
			go func() {
				runtime.Gosched()
				close(done)
			}()
			select {
			case <-done:
			case <-ctx.Done():
			}
			cancel()
		}
	})
	show("Go: spawn + yield + join", rounds, count, func() {
		var group sync.WaitGroup
		group.Add(count)
		for i := 0; i < count; i++ {
			go func() {
				runtime.Gosched()
				group.Done()
			}()
		}
		group.Wait()
	})
	for _, room := range []int{0, 64} {
		show(fmt.Sprintf("Go: element through a channel with room for %d", room), rounds, count, func() {
			channel := make(chan int, room)
			go func() {
				for i := 0; i < count; i++ {
					channel <- i
				}
				close(channel)
			}()
			for range channel {
			}
		})
	}
}

func lines(rounds, count, length int) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	own, err := os.Executable()
	must(err)
	show("Go: bufio.Scanner, text", rounds, count, func() {
		// Another process, so that its time does not count.
		writer := exec.Command(own, "write", listener.Addr().String(), strconv.Itoa(count), strconv.Itoa(length))
		must(writer.Start())
		connection, err := listener.Accept()
		must(err)
		scanner := bufio.NewScanner(connection)
		found := 0
		for scanner.Scan() {
			found += len(scanner.Text()) / length
		}
		if found != count {
			must(fmt.Errorf("%d lines of %d", found, count))
		}
		connection.Close()
		must(writer.Wait())
	})
}

func write(address string, count, length int) {
	connection, err := net.Dial("tcp", address)
	must(err)
	line := append(bytes.Repeat([]byte("x"), length), '\n')
	batch := bytes.Repeat(line, 1000)
	for left := count; left > 0; left -= 1000 {
		size := 1000
		if left < size {
			size = left
		}
		_, err := connection.Write(batch[:size*len(line)])
		must(err)
	}
	connection.Close()
}
