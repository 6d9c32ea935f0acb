import AsyncUV
import AsyncUVHTTP

/// Who is there. It lives on the loop, as the sockets do: calls to it need no lock and no hop.
actor Room: LoopActor {
    let loop: EventLoop
    private var members: [Int: Channel<String>] = [:]
    private var count = 0
    private(set) var messages = 0
    /// How many messages may wait for somebody who is slow.
    private let backlog = 256

    init(on loop: EventLoop) { self.loop = loop }

    /// Stays until the socket ends: what it says goes to all, and what others say goes to it.
    nonisolated func visit(_ socket: WebSocket) async throws {
        let (number, outbox) = await join()
        let sending = loop.spawn {
            for try await text in outbox { try await socket.send(text) }
            // The room has sent them away.
            await socket.close(.policyViolation, reason: "too slow")
        }
        defer { sending.cancel() }
        do {
            for try await message in socket {
                guard case .text(let text) = message else {
                    await socket.close(.unsupportedData, reason: "text only")
                    break
                }
                await say("\(number): \(text)")
            }
        } catch {
            await leave(number)
            throw error
        }
        await leave(number)
    }

    private func join() -> (number: Int, outbox: Channel<String>) {
        count += 1
        let outbox = Channel<String>(capacity: backlog, on: loop)
        members[count] = outbox
        return (count, outbox)
    }

    private func leave(_ number: Int) { members[number] = nil }

    private func say(_ text: String) async {
        messages += 1
        for (number, outbox) in members where (try? await outbox.trySend(text)) != true {
            outbox.finish()
            members[number] = nil
        }
    }
}
