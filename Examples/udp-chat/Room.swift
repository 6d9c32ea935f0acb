import AsyncUV
import ExampleSupport

/// A group of which this program is a member.
struct Room {
    /// What a line may have, so that its datagram is not cut apart on any network.
    private static let longest = 1_200

    private let socket: UDPSocket
    private let group: SocketAddress

    /// Joins a group. Other programs of this machine may be in it, too.
    static func join(_ group: SocketAddress, on interface: String) async throws -> Room {
        let options = UDPOptions(reuseAddress: true, multicastTTL: 1, multicastInterface: .named(interface))
        let everybody: SocketAddress = group.family == .ipv4 ? .anyIPv4(port: group.port) : .anyIPv6(port: group.port)
        let socket = try await UDPSocket.bind(to: everybody, options: options)
        try await socket.join(group, on: .named(interface))
        return Room(socket: socket, group: group)
    }

    /// Prints what the members say, this one as well.
    func listen() async throws {
        let datagrams = try await socket.datagrams(queue: 256, upTo: Self.longest)
        for try await element in datagrams {
            switch element {
            case .success(let datagram):
                // Nobody's bytes may steer our terminal.
                let text = String(decoding: datagram.bytes, as: UTF8.self)
                printLine(
                    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 })))
            case .failure(let error): printProblem("\(error)")
            }
        }
    }

    /// Says a line to everybody.
    func say(_ line: String, as name: String) async throws {
        let message = Array("\(name): \(line)".utf8.prefix(Self.longest))
        do { try await socket.send(message, to: group) } catch let error as UVError where error.code != .canceled {
            printProblem("cannot say that: \(error)")
        }
    }
}
