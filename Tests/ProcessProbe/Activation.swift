import AsyncUV
import Foundation

/// A process whose sockets a service manager has opened. The manager is this process itself, before it becomes the other program.
enum Activation {
    /// Opens sockets on descriptors 3 and up, by name: `tcp…` listens by TCP, `local…` on an abstract local socket, `udp…`
    /// receives datagrams, others are no sockets. Then the same process runs ``serve()``.
    static func begin(_ names: [String]) throws {
        for (index, name) in names.enumerated() {
            let socket =
                if name.hasPrefix("tcp") { bound(SOCK_STREAM) } else if name.hasPrefix("udp") {
                    bound(SOCK_DGRAM)
                } else if name.hasPrefix("local") { local(name) } else { unsafe open("/dev/null", O_RDWR) }
            // Not closed on exec.
            guard socket >= 0, dup2(socket, CInt(100 + index)) >= 0 else { exit(65) }
        }
        for index in names.indices { dup2(CInt(100 + index), CInt(3 + index)) }
        unsafe setenv("LISTEN_PID", "\(getpid())", 1)
        unsafe setenv("LISTEN_FDS", "\(names.count)", 1)
        unsafe setenv("LISTEN_FDNAMES", names.joined(separator: ":"), 1)
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var arguments = unsafe [strdup(program), strdup("activated"), nil]
        unsafe execv(program, &arguments)
        exit(66)
    }

    /// Takes the sockets, connects to each, and prints what it has.
    static func serve() throws {
        try EventLoop.run { loop in
            print("named:", try await TCPListener.activated(named: "tcp-admin").count)
            let tcp = try await TCPListener.activated()
            let local = try await LocalListener.activated()
            for listener in tcp {
                let client = try await TCPConnection.connect(to: listener.localAddress)
                guard let server = try await listener.accept() else { exit(67) }
                try await client.write("hello\n")
                print("tcp:", try await server.readLine() ?? "nothing")
            }
            for listener in local {
                let client = try await LocalConnection.connect(to: listener.localAddress)
                guard let server = try await listener.accept() else { exit(67) }
                try await client.write("hello\n")
                print("\(listener.localAddress):", try await server.readLine() ?? "nothing")
            }
            for socket in try await UDPSocket.activated() {
                try await socket.send("hello", to: socket.localAddress)
                print("udp:", String(decoding: try await socket.receive().bytes, as: UTF8.self))
            }
            print("again:", try await TCPListener.activated().count, try await LocalListener.activated().count)
            print("rest:", try ServiceManager.takeSockets().map { "\($0.name) is a \($0.descriptor.kind)" })
            // They are not the children's.
            let child = try await ChildProcess.run("sh", ["-c", "ls /proc/self/fd | wc -l; echo $LISTEN_PID $$"])
            print("child:", String(decoding: child.output, as: UTF8.self).split(separator: "\n")[0])
        }
    }

    private static func bound(_ type: __socket_type) -> CInt {
        let socket = socket(AF_INET, CInt(type.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 && (type == SOCK_DGRAM || listen(socket, 16) == 0) ? socket : -1
    }

    private static func local(_ name: String) -> CInt {
        let socket = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array("\(name)-\(getpid())".utf8)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(socket, $0, size) }
        }
        return status == 0 && listen(socket, 16) == 0 ? socket : -1
    }
}
