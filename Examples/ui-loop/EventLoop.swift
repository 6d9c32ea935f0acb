import ExampleSupport
import Readiness
import Synchronization

/// The second way: devices put messages into a queue, each with its handler; the loop sleeps until there is one.
struct EventLoop {
    func run(for seconds: Int) throws -> Looks {
        let onClick: Message.Handler = { input in printLine("  clicked (\(input.number))") }
        let onKeyDown: Message.Handler = { input in printLine("  key pressed (\(input.number))") }
        var poller = try PollPoller()
        let queue = MessageQueue(waker: poller.waker, senders: 2)
        for (device, handler) in [(Device.mouse, onClick), (.keyboard, onKeyDown)] {
            try device.start(
                seconds: seconds, deliver: { queue.post(Message(input: $0, handler: handler)) },
                done: { queue.leave() })
        }
        var looks = Looks()
        while true {
            _ = try poller.wait()  // asleep until a message is posted
            looks.count += 1
            while let message = queue.next() {
                looks.inputs += 1
                message.handler(message.input)
            }
            if queue.isOver { return looks }
        }
    }
}

/// An input and what to do with it.
struct Message: Sendable {
    typealias Handler = @Sendable (Input) -> Void

    let input: Input
    let handler: Handler
}

/// Messages from several threads, oldest first, for one loop.
final class MessageQueue: Sendable {
    private let state: Mutex<(messages: [Message], senders: Int)>
    private let waker: Waker

    init(waker: Waker, senders: Int) {
        self.waker = waker
        state = Mutex(([], senders))
    }

    func post(_ message: Message) {
        state.withLock { $0.messages.append(message) }
        waker.wake()
    }

    /// One sender fewer.
    func leave() {
        state.withLock { $0.senders -= 1 }
        waker.wake()
    }

    func next() -> Message? { state.withLock { $0.messages.isEmpty ? nil : $0.messages.removeFirst() } }
    var isOver: Bool { state.withLock { $0.messages.isEmpty && $0.senders == 0 } }
}
