import AsyncUV
import CGLib
import UVEmbedding

/// A program of GLib, as those with windows are: its main loop drives a loop with a server, clients and files.
///
/// `--starve` makes each of the two busy beside the other, `--chaos SEED` prints the results of the tests' work with known results,
/// `--idle` does nothing for two seconds.
@main struct EmbeddingGLib {
    static func main() throws {
        let main = unsafe g_main_loop_new(nil, 0)
        let driver = try EventLoopDriver(label: "glib")
        driver.onEnd = { error in
            if let error { print("the loop broke: \(error)") }
            unsafe g_main_loop_quit(main)
        }
        let adapter = try GLibLoopAdapter(driver)
        let loop = driver.eventLoop
        // What the program's windows would do.
        let beats = Beats()
        let timer = unsafe g_timeout_add(
            10,
            { beats in
                unsafe Unmanaged<Beats>.fromOpaque(beats.unsafelyUnwrapped).takeUnretainedValue().count += 1
                return 1
            }, Unmanaged.passUnretained(beats).toOpaque())

        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments == ["--idle"] { g_source_remove(timer) }
        loop.spawn {
            do { try await run(arguments, on: loop) } catch { print("failed: \(error)") }
            await loop.shutdown()
        }
        unsafe g_main_loop_run(main)
        unsafe g_main_loop_unref(main)
        adapter.detach()
        if arguments.isEmpty { print("GLib's timer went on meanwhile: \(beats.count >= 10)") }
    }

    private static func run(_ arguments: [String], on loop: EventLoop) async throws {
        switch arguments {
        case []: try await demonstrate(on: loop)
        case ["--starve"]: try await starve(on: loop)
        case ["--idle"]:
            loop.schedule(after: .seconds(3_600)) {}
            print("idle")
            try await loop.sleep(for: .seconds(2))
            print("over")
        case _ where arguments.count == 2 && arguments[0] == "--chaos":
            for line in try await Chaos(seed: UInt64(arguments[1]) ?? 0).run(on: loop) { print(line) }
        default: print("usage: embedding-glib [--starve | --chaos SEED | --idle]")
        }
    }

    private static func demonstrate(on loop: EventLoop) async throws {
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let serving = loop.spawn {
            try await listener.serve { connection in
                for try await line in connection.lines() { try await connection.write("\(line), says the server\n") }
            }
        }
        let connection = try await TCPConnection.connect(to: listener.localAddress)
        for number in 1...3 {
            try await connection.write("hello \(number)\n")
            print(try await connection.readLine() ?? "nothing")
            try await loop.sleep(for: .milliseconds(50))
        }
        await connection.close()
        // A task that never waits: GLib's own sources go first.
        let busy = loop.spawn { while !Task.isCancelled { await Task.yield() } }
        try await loop.sleep(for: .milliseconds(100))
        busy.cancel()
        try await busy.value
        await listener.close()
        try await serving.value
    }
}

extension EmbeddingGLib {
    /// Makes each of the two loops busy beside the other. It does not end if one starves the other.
    private static func starve(on loop: EventLoop) async throws {
        // A source where GTK draws, beside a task that never waits.
        let busy = loop.spawn { while !Task.isCancelled { await Task.yield() } }
        print("GLib draws beside a busy loop: \(await served(priority: 120, upTo: 100) == 100)")
        busy.cancel()
        try await busy.value
        // A source where GTK takes input, which is always ready until the loop has slept twenty times.
        async let calls = served(priority: 0, upTo: .max)
        for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
        await endSource()
        print("the loop goes on beside a busy source: \(await calls >= 20)")
    }

    /// How often GLib calls a source that is always ready, until it has had so many calls or is ended. The main actor's
    /// code runs in the turns of the loop.
    @MainActor private static func served(priority: CInt, upTo most: Int) async -> Int {
        let source = BusySource(upTo: most)
        current = source
        return await withCheckedContinuation { continuation in
            source.whenEnded = continuation
            source.start(priority)
        }
    }

    @MainActor private static var current: BusySource?

    @MainActor private static func endSource() { current?.isOver = true }
}

/// A source of GLib that is always ready.
@MainActor private final class BusySource {
    private let most: Int
    private var count = 0
    var isOver = false
    var whenEnded: CheckedContinuation<Int, Never>?

    init(upTo most: Int) { self.most = most }

    func start(_ priority: CInt) {
        _ = unsafe g_idle_add_full(
            priority,
            { context in
                nonisolated(unsafe) let context = unsafe context.unsafelyUnwrapped
                return MainActor.assumeIsolated {
                    unsafe Unmanaged<BusySource>.fromOpaque(context).takeUnretainedValue().call()
                }
            }, Unmanaged.passUnretained(self).toOpaque(), nil)
    }

    private func call() -> gboolean {
        count += 1
        if count < most, !isOver { return 1 }
        whenEnded?.resume(returning: count)
        return 0
    }
}

/// How often GLib's own timer has fired.
private final class Beats {
    var count = 0
}
