// An echo server for the report, with net as Node's documentation shows it: a socket piped into itself.
import net from "node:net"

const option = (name, otherwise) => {
    const place = process.argv.indexOf(name)
    return place < 0 ? otherwise : process.argv[place + 1]
}

const server = net.createServer({ noDelay: true }, socket => {
    socket.on("error", () => socket.destroy())
    socket.pipe(socket)
})
server.listen({ host: option("--host", "127.0.0.1"), port: Number(option("--port", 0)), backlog: 1024 }, () => {
    const { address, port } = server.address()
    console.log(`listening on ${address}:${port}`)
})
process.on("SIGTERM", () => process.exit(0))
