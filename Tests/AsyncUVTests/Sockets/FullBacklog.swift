import AsyncUV
import Foundation
import SystemPackage
import TestSupport

/// A listener whose queue is full: the kernel does not answer who connects now.
final class FullBacklog: Sendable {
    let address: SocketAddress
    private let descriptors: [FileDescriptor]

    init() async throws {
        let listener = try FileDescriptor.tcpListener(backlog: 0)
        let port = try listener.localPort
        var descriptors = [listener]
        // A queue of 0 takes one; those behind it start to connect and wait.
        for _ in 0..<4 {
            let client = FileDescriptor(
                rawValue: socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0))
            descriptors.append(client)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            unsafe withUnsafePointer(to: &address) { address in
                unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = unsafe connect(client.rawValue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        self.descriptors = descriptors
        address = try SocketAddress(host: "127.0.0.1", port: port)
    }

    func close() { for descriptor in descriptors { try? descriptor.close() } }
}

/// Runs a test's body on a loop, as ``onLoop(_:)`` does, with an address where nobody answers who connects.
func onLoopBesideFullBacklog(
    _ body: @escaping @Sendable (EventLoop, SocketAddress) async throws -> Void
) async throws {
    let full = try await FullBacklog()
    defer { full.close() }
    let address = full.address
    try await onThread { try onLoop { loop in try await body(loop, address) } }
}
