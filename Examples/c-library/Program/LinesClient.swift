import AsyncUV
import CLines

/// The C library's client for async code. Its calls are made on the loop's thread, where the C library lives: an actor of the loop.
actor LinesClient: LoopActor {
    let loop: EventLoop
    private let client: OpaquePointer

    /// Connects. Errors come with the first answer.
    init(host: String, port: UInt16, on loop: EventLoop) async throws {
        self.loop = loop
        let made = try await loop.withLoop { callbackLoop in
            try callbackLoop.withUnsafeLoop { raw in
                UInt(bitPattern: lines_connect(raw.assumingMemoryBound(to: uv_loop_t.self), host, CInt(port)))
            }
        }
        guard let client = OpaquePointer(bitPattern: made) else {
            throw UVError(.invalidArgument, in: "connect", of: "\(host):\(port)")
        }
        self.client = client
    }

    /// Sends a line and waits for the answer. It cannot be cancelled: the library has no call for that.
    func ask(_ line: String) async throws -> String {
        let answer: String? = await withCheckedContinuation { continuation in
            let context = Unmanaged.passRetained(Box(continuation)).toOpaque()
            lines_ask(
                client, line,
                { context, answer in
                    let box = Unmanaged<Box<String?>>.fromOpaque(context!).takeRetainedValue()
                    box.continuation.resume(returning: answer.map { String(cString: $0) })
                }, context)
        }
        guard let answer else { throw UVError(.connectionReset, in: "ask", of: "the lines server") }
        return answer
    }

    /// Closes the client, and waits until the loop is rid of it. Nothing is to be asked afterwards.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            lines_close(
                client, { Unmanaged<Box<Void>>.fromOpaque($0!).takeRetainedValue().continuation.resume() },
                Unmanaged.passRetained(Box(continuation)).toOpaque())
        }
    }
}

/// A continuation as an object, whose address C code can keep.
private final class Box<Value: Sendable> {
    let continuation: CheckedContinuation<Value, Never>
    init(_ continuation: CheckedContinuation<Value, Never>) { self.continuation = continuation }
}
