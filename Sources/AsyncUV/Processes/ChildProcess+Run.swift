public import UV

extension ChildProcess {
    /// What a program has printed, and how it has ended.
    public struct Finished: Sendable {
        /// How it has ended.
        public let status: ExitStatus
        /// What it has written to its standard output.
        public let output: [UInt8]
        /// What it has written to its standard error.
        public let error: [UInt8]

        /// Its standard output, as text. Wrong UTF-8 is repaired.
        public var text: String { String(decoding: output, as: UTF8.self) }
        /// Its standard error, as text. Wrong UTF-8 is repaired.
        public var errorText: String { String(decoding: error, as: UTF8.self) }
    }

    /// Runs a program to its end: gives it input, and gathers what it prints.
    ///
    /// The child is in a session and a process group of its own: Ctrl-C does not reach it (cancel the task, see ``Signals``), and it
    /// has no terminal to ask for a password. When this throws, the group is told to end (SIGTERM) and killed after the grace; of a
    /// child that has ended already, who is left of its group is killed. Only the loop's end leaves them alone. A program that ends is not killed, nor is anybody that it leaves behind; but this waits as long as somebody has
    /// its output open.
    ///
    /// - Parameter options: `isDetached` is set.
    /// - Parameter input: What the child can read. It need not read it all.
    /// - Parameter limit: The most bytes of output, and of errors. More throw ``UVError`` with `.messageTooLong`.
    /// - Parameter timeout: How long it may take; `nil` for ever.
    /// - Parameter grace: How long the child may take to end when this throws.
    /// - Returns: Also for a child that has failed: see ``Finished/status``.
    /// - Throws: As ``spawn(_:_:options:input:output:error:on:)``, and ``UVError`` with `.timedOut`, or `.canceled` when the loop ends.
    ///
    /// Cancellation: ends the child, as above, and waits for its end; then `CancellationError`.
    public static func run(
        _ program: String, _ arguments: [String] = [], options: ProcessOptions = ProcessOptions(), input: [UInt8] = [],
        limit: Int = 64 << 20, timeout: Duration? = nil, grace: Duration = .seconds(5),
        on loop: EventLoop = .current ?? .shared
    ) async throws -> Finished {
        guard let timeout else { return try await finish(program, arguments, options, input, limit, grace, on: loop) }
        return try await withTimeout(timeout, on: loop) {
            try await finish(program, arguments, options, input, limit, grace, on: loop)
        }
    }

    private static func finish(
        _ program: String, _ arguments: [String], _ options: ProcessOptions, _ input: [UInt8], _ limit: Int,
        _ grace: Duration, on loop: EventLoop
    ) async throws -> Finished {
        let child = try await start(program, arguments, options, input: input.isEmpty ? .null : .pipe, on: loop)
        return try await child.ending(grace) {
            guard let output = child.output, let error = child.error else { throw loop.ended("spawn") }
            enum Part: Sendable { case output([UInt8]), error([UInt8]), input }
            var gathered: (output: [UInt8], error: [UInt8]) = ([], [])
            // All three at once: a child that waits for one of them would not go on with the others.
            try await withThrowingTaskGroup(of: Part.self) { group in
                group.addTask(executorPreference: loop) { .output(try await output.gather(limit, of: program)) }
                group.addTask(executorPreference: loop) { .error(try await error.gather(limit, of: program)) }
                if let pipe = child.input {
                    group.addTask(executorPreference: loop) {
                        try await pipe.feed(input)
                        return .input
                    }
                }
                while let part = try await group.next() {
                    switch part {
                    case .output(let bytes): gathered.output = bytes
                    case .error(let bytes): gathered.error = bytes
                    case .input: break
                    }
                }
            }
            // The child may end later than its output, or earlier.
            return Finished(status: try await child.wait(), output: gathered.output, error: gathered.error)
        }
    }

    /// Starts a program for a body that talks with it, and waits for its end.
    ///
    /// ```swift
    /// let (status, sum) = try await ChildProcess.withProcess("bc") { input, output, _ in
    ///     try await input.write("6*7\n")
    ///     return try await output.readLine()
    /// }
    /// ```
    ///
    /// When the body returns, the pipes are closed: a child that reads finds the end of its input, and one that still writes is ended
    /// by SIGPIPE. The child is in a session and a group of its own, as in ``run(_:_:options:input:limit:timeout:grace:on:)``; when the body throws,
    /// or the task is cancelled, the group ends as there.
    ///
    /// - Parameter options: `isDetached` is set.
    /// - Parameter grace: How long the child may take to end when the body throws.
    /// - Parameter body: Gets the child's input, output and errors. A child whose output nobody reads waits when the pipe is full.
    /// - Returns: How the child has ended, and the body's value.
    /// - Throws: What the body throws. Otherwise as ``spawn(_:_:options:input:output:error:on:)``.
    ///
    /// Cancellation: ends the child, as above, and waits for its end.
    public static func withProcess<Value>(
        _ program: String, _ arguments: [String] = [], options: ProcessOptions = ProcessOptions(),
        grace: Duration = .seconds(5), on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (ChildInput, ChildOutput, ChildOutput) async throws -> Value
    ) async throws -> (status: ExitStatus, value: Value) {
        let child = try await start(program, arguments, options, input: .pipe, on: loop)
        return try await child.ending(grace) {
            guard let input = child.input, let output = child.output, let error = child.error else {
                throw loop.ended("spawn")
            }
            let value = try await body(input, output, error)
            await input.close()
            await output.close()
            await error.close()
            return (try await child.wait(), value)
        }
    }

    private static func start(
        _ program: String, _ arguments: [String], _ options: ProcessOptions, input: ChildStream, on loop: EventLoop
    ) async throws -> ChildProcess {
        var options = options
        options.isDetached = true
        return try await spawn(program, arguments, options, [input, .pipe, .pipe], keepsNumber: true, on: loop)
    }

    /// Ends the child when the body throws.
    private func ending<Value>(
        _ grace: Duration, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        let value: Value
        do { value = try await body() } catch {
            await input?.close()
            await terminate(grace: grace)
            await letGo()
            throw error
        }
        await letGo()
        return value
    }
}

extension ChildOutput {
    fileprivate func gather(_ limit: Int, of program: String) async throws -> [UInt8] {
        do { return try await readToEnd(limit: limit) } catch UVError.Code.messageTooLong {
            throw UVError(.messageTooLong, in: "run", of: "more than \(limit) bytes of output of \(program)")
        }
    }
}

extension ChildInput {
    fileprivate func feed(_ bytes: [UInt8]) async throws {
        // A child need not read all of its input.
        do { try await write(bytes) } catch UVError.Code.brokenPipe {}
        await close()
    }
}
