import SystemPackage
import TestSupport
import Testing
import UV

/// One end of a connection. What it gets must be what its peer has written, from the start and without a gap.
final class StormEnd: StormHandle<TCPHandle> {
    weak var peer: StormEnd?
    private var written = 0
    private var received = 0
    private var hasShutDown = false
    private var hasEnded = false

    override func doSomething(_ storm: Storm) {
        switch storm.choose(14) {
        case 0, 1: write(storm)
        case 2: tryWrite(storm)
        case 3, 4: read(storm)
        case 5, 6: receive(storm)
        case 7: handle.stopReading()
        case 8: handle.resumeReading()
        case 9: if handle.cancelRead() { waiting?.expected = 0 }
        case 10: if storm.luck(3) { shutdown(storm) }
        case 11: if storm.luck(4) { handle.closeAfterWrites() }
        case 12: if storm.luck(4) { storm.close(handle) { handle.closeWithReset(onClosed: $0) } }
        default: misuse(storm)
        }
    }

    override func end(_ storm: Storm) {
        storm.close(handle) { storm.luck(2) ? handle.closeWithReset(onClosed: $0) : handle.close(onClosed: $0) }
    }

    private func write(_ storm: Storm) {
        let operation = storm.begin("write"), count = storm.luck(3) ? storm.choose(400_000) : storm.choose(3)
        let onDone: (StreamHandle, UVError?) -> Void = { [self] _, error in
            operation.calls += 1
            storm.expect(!handle.isClosing || error == nil || error?.code == .canceled, "written: \(error as Any)")
            storm.stepInside(handle.loop)
        }
        let bytes = pattern(count: count, from: written)
        storm.attempt(handle, "write", operation) { () throws(UVError) in
            let outcome =
                switch storm.choose(3) {
                case 0: try handle.write(bytes, onDone: onDone)
                case 1: try handle.write(bytes.span, onDone: onDone)
                default:
                    try handle.write(
                        contentsOf: [[], Array(bytes.prefix(1)), Array(bytes.dropFirst()), []], onDone: onDone)
                }
            written += count
            if outcome == .sent { operation.expected = 0 }
        }
    }

    private func tryWrite(_ storm: Storm) {
        storm.attempt(handle, "tryWrite") { () throws(UVError) in
            written += try handle.tryWrite(pattern(count: storm.choose(5_000), from: written).span)
        }
    }

    private func read(_ storm: Storm) {
        storm.attempt(handle, "startReading") { () throws(UVError) in
            try handle.startReading(
                onBytes: { [self] _, bytes in
                    take([UInt8](copying: bytes), storm)
                    called("read", storm)
                },
                onEnd: { [self] _, error in
                    ended(error, storm)
                    called("the end", storm)
                })
        }
    }

    private func receive(_ storm: Storm) {
        let operation = storm.begin("receive")
        storm.attempt(handle, "receive", operation) { () throws(UVError) in
            let outcome = try handle.read(upTo: 1 + storm.choose(100_000)) { [self] _, result in
                operation.calls += 1
                switch result {
                case .success(let bytes?): take(bytes, storm)
                case .success(nil): ended(nil, storm)
                case .failure(let error): if error.code != .canceled { ended(error, storm) }
                }
                storm.stepInside(handle.loop)
            }
            switch outcome {
            case .bytes(let bytes): take(bytes, storm)
            case .ended: hasEnded = true
            case .waiting:
                waiting = operation
                return
            }
            operation.expected = 0
        }
    }

    /// The receive that waits, which `cancelRead` forgets.
    private var waiting: Operation?

    private func shutdown(_ storm: Storm) {
        let operation = storm.begin("shutdown")
        storm.attempt(handle, "shutdown", operation) { () throws(UVError) in
            try handle.finishWriting { [self] _, error in
                operation.calls += 1
                if error == nil { hasShutDown = true }
                storm.stepInside(handle.loop)
            }
        }
    }

    private func misuse(_ storm: Storm) {
        let address = SocketAddress.anyIPv4(port: 9)
        storm.attempt(handle, "receive of 0") { () throws(UVError) in
            _ = try handle.read(upTo: 0) { _, _ in storm.note("received 0") }
            storm.note("a receive of 0 passed")
        }
        storm.attempt(handle, "setNoDelay") { () throws(UVError) in
            do throws(UVError) { try handle.setNoDelay(enabled: true) } catch {
                // A pair has no such option.
                if error.code != .notSupported { throw error }
            }
        }
        _ = try? handle.bind(to: address, ipv6Only: true)
        _ = (handle.isActive, handle.isReadable, handle.isWritable, handle.writeQueueSize, handle.description)
        _ = (try? handle.localAddress, try? handle.remoteAddress, try? handle.sendBufferSize)
        handle.pauseAccepting()
        try? handle.resumeAccepting()
    }

    private func take(_ bytes: [UInt8], _ storm: Storm) {
        storm.expect(!bytes.isEmpty, "an empty read")
        storm.expect(!hasEnded, "bytes after the end")
        if let peer {
            storm.expect(areEqual(bytes, pattern(count: bytes.count, from: received)), "other bytes at \(received)")
            storm.expect(received + bytes.count <= peer.written, "more bytes than were written")
        }
        received += bytes.count
    }

    private func ended(_ error: UVError?, _ storm: Storm) {
        hasEnded = true
        if error == nil, let peer, peer.hasShutDown {
            storm.expect(received == peer.written, "ended at \(received) of \(peer.written)")
        }
    }
}
