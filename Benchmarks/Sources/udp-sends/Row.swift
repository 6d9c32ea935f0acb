import AsyncUV
import CDatagrams
import UV

/// A way to send datagrams. The name is the title of its row.
enum Row: String, CaseIterable {
    case c = "C: uv_udp_try_send"
    case single = "UDPHandle.trySend"
    case batch = "UDPHandle.trySend of a batch"
    case asyncSingle = "UDPSocket.send"
    case asyncBatch = "UDPSocket.sendBatch"

    /// CPU nanoseconds of a datagram.
    func measure(_ sink: Sink) throws -> Double {
        switch self {
        case .c:
            let nanoseconds = cdatagrams_send(sink.descriptor, sink.port, CInt(sink.size), CInt(sink.groups))
            if nanoseconds < 0 { throw Lost() }
            return nanoseconds
        case .single, .batch: return try measureCallbacks(sink)
        case .asyncSingle, .asyncBatch:
            return try EventLoop.run { loop in
                try await loop.spawn { try await measureAsync(sink, inBatches: self == .asyncBatch) }.value
            }
        }
    }

    private func measureCallbacks(_ sink: Sink) throws -> Double {
        let loop = try Loop()
        let socket = try UDPHandle(on: loop, family: .ipv4)
        let bytes = [UInt8](repeating: 0, count: sink.size)
        let address = SocketAddress.loopback(port: sink.port)
        let batch = Self.batch(bytes, to: address)
        var meter = Meter(sink)
        for _ in 0..<sink.groups {
            try meter.measure {
                if self == .batch { return _ = try socket.trySend(batch) }
                for _ in 0..<batch.count { _ = try socket.trySend(bytes.span, to: address) }
            }
        }
        socket.close()
        try loop.run()
        try loop.close()
        return try meter.result()
    }

    static func batch(_ bytes: [UInt8], to address: SocketAddress) -> DatagramBatch {
        var batch = DatagramBatch()
        for _ in 0..<cdatagrams_group { batch.append(bytes, to: address) }
        return batch
    }
}

private func measureAsync(_ sink: Sink, inBatches: Bool) async throws -> Double {
    let socket = try await UDPSocket.bind(to: .anyIPv4(port: 0))
    let bytes = [UInt8](repeating: 0, count: sink.size)
    let address = SocketAddress.loopback(port: sink.port)
    let batch = Row.batch(bytes, to: address)
    var meter = Meter(sink)
    for _ in 0..<sink.groups {
        meter.begin()
        if inBatches {
            try await socket.sendBatch(batch)
        } else {
            for _ in 0..<batch.count { try await socket.send(bytes, to: address) }
        }
        meter.end()
    }
    await socket.close()
    return try meter.result()
}

/// Adds up the time of all groups, and counts what came.
private struct Meter {
    private let sink: Sink
    private var began = 0.0
    private var total = 0.0
    private var came = 0

    init(_ sink: Sink) { self.sink = sink }

    mutating func begin() { began = cdatagrams_cpu() }

    mutating func end() {
        total += cdatagrams_cpu() - began
        came += Int(cdatagrams_drain(sink.descriptor))
    }

    mutating func measure(_ body: () throws -> Void) rethrows {
        begin()
        try body()
        end()
    }

    func result() throws -> Double {
        let sent = sink.groups * Int(cdatagrams_group)
        if came != sent { throw Lost() }
        return total / Double(sent)
    }
}
