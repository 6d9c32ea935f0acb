public import AsyncUV
internal import Synchronization

/// One of several functions that hand control to each other explicitly, each with a stack of its own.
///
/// ```swift
/// try await Greenlet<Void>.run { main in
///     let first = Greenlet(parent: main), second = Greenlet(parent: main)
///     first.body { print(12); try await first.switch(to: second); print(34); try await first.switch(to: second) }
///     second.body { print(56); try await second.switch(to: first); print(78) }
///     try await main.switch(to: first)                                        // 12 56 34 78
/// }
/// ```
///
/// As in Python's greenlet: a switch goes on in the target, with a value, and returns when somebody switches back. A
/// greenlet that ends hands its result, or its error, to its parent. All greenlets of a ``run(on:_:)`` live on one loop and
/// exactly one of them runs; the loop does its other work meanwhile.
public final class Greenlet<Value: Sendable>: @unchecked Sendable {
    @safe
    @usableFromInline
    enum Phase {
        case fresh
        case running
        case waiting(UnsafeContinuation<Value, any Error>)
        case dead
    }

    /// The greenlets of one ``run(_:)``.
    @usableFromInline
    final class World {
        /// What cancellation needs, which may come from any thread.
        struct State {
            /// The greenlets whose body has not ended, by ``Greenlet/number``. Most bodies refer to their greenlet: this table
            /// keeps them alive until the run ends, which breaks the cycle.
            var alive: [Int: Greenlet] = [:]
            /// The tasks of the greenlets that have begun.
            var tasks: [Int: Task<Void, Never>] = [:]
            /// How many greenlets have been given a body.
            var bodies = 0
            var isCancelled = false
        }

        let loop: EventLoop
        let state = Mutex(State())
        /// Set by the first greenlet. Only the greenlet that runs reads it.
        @exclusivity(unchecked) @usableFromInline var isEnding = false
        init(_ loop: EventLoop) { self.loop = loop }
    }

    /// The greenlet that goes on when this one ends; `nil` for the first.
    public private(set) var parent: Greenlet?
    @usableFromInline let world: World
    @exclusivity(unchecked) @usableFromInline var phase: Phase
    private let hasEnded = Atomic(false)
    /// The number of the task that runs the greenlet, 0 for none.
    private let runner = Atomic<UInt>(0)
    /// The number of its body in the run, in the order in which bodies were given; 0 for none.
    private var number = 0
    /// How many switches this greenlet has tried since its run ended.
    private var ignored = 0
    private var function: (@Sendable (Value) async throws -> Value)?

    /// Makes a greenlet that begins with the first switch to it: see `body(_:)`.
    public init(parent: Greenlet) {
        self.parent = parent
        world = parent.world
        unsafe phase = .fresh
    }

    private init(_ loop: EventLoop) {
        parent = nil
        world = World(loop)
        unsafe phase = .running
        runner.store(RuntimeShortcuts.currentTask, ordering: .relaxed)
    }

    /// Releases a chain of parents in a loop. If each parent were released inside the `deinit` of its child, a long chain would
    /// overflow the stack.
    deinit {
        var next = parent.take()
        while next != nil, isKnownUniquelyReferenced(&next) { next = next?.parent.take() }
    }

    /// Says what the greenlet does: it gets the value of the first switch to it and gives its result to its parent.
    ///
    /// Call it on the run's loop, before the first switch to the greenlet: it traps when the greenlet has begun. On another
    /// thread, or while the run ends, it does nothing; a switch to the greenlet then throws. The greenlet lives until its body
    /// or its ``run(on:_:)`` ends.
    public func body(_ function: @escaping @Sendable (Value) async throws -> Value) {
        guard world.loop.isCurrent, !(unsafe world.isEnding) else { return }
        guard case .fresh = unsafe phase else { fatalError("a greenlet that has begun cannot get a body") }
        self.function = function
        if number != 0 { return }
        number = world.state.withLock { state in
            state.bodies += 1
            state.alive[state.bodies] = self
            return state.bodies
        }
    }

    /// Whether the greenlet has ended. Any thread may ask.
    public var isDead: Bool { hasEnded.load(ordering: .acquiring) }

    // MARK: Running

    /// Makes the caller the first greenlet, on a loop, and runs code in which others can be made and switched to.
    ///
    /// Greenlets that have not ended when the code ends are ended then, in the order in which they were given their bodies: the
    /// switch that they wait in throws ``GreenletError/ended``, and so does each further switch. A greenlet that goes on all the
    /// same is cancelled, and after a hundred switches it is left suspended for good. Errors of these greenlets are dropped.
    ///
    /// - Returns: The code's value.
    ///
    /// Cancellation reaches all greenlets: `Task.isCancelled` is true in each, and what the running one waits for (a
    /// sleep, a socket) throws `CancellationError`, which goes to its parent unless it is caught. A switch does not throw,
    /// because it does not wait for anything that could be cancelled: the other greenlet runs.
    public static func run<Result: Sendable>(
        on loop: EventLoop = .current ?? .shared, _ code: @escaping @Sendable (Greenlet) async throws -> Result
    ) async throws -> Result {
        try await withTaskExecutorPreference(loop) { @concurrent in
            let first = Greenlet(loop)
            return try await withTaskCancellationHandler {
                do {
                    let result = try await code(first)
                    await first.endOthers()
                    return result
                } catch {
                    await first.endOthers()
                    throw error
                }
            } onCancel: {
                first.cancelOthers()
            }
        }
    }

    private func cancelOthers() {
        let tasks = world.state.withLock { state in
            state.isCancelled = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
    }

    /// Ends the greenlets that are left, one after the other. When the loop has ended this happens on other threads.
    private func endOthers() async {
        unsafe world.isEnding = true
        for number in world.state.withLock({ $0.alive.keys.sorted() }) {
            guard let other = world.state.withLock({ $0.alive[number] }) else { continue }
            if case .waiting = unsafe other.phase { _ = try? await give(GreenletError.ended, to: other) }
            other.die()
        }
        die()
    }

    /// Marks this greenlet as ended: no switch to it is possible any more.
    private func die() {
        unsafe phase = .dead
        hasEnded.store(true, ordering: .releasing)
        // Another task may get the same address.
        runner.store(0, ordering: .relaxed)
        function = nil
        // The removed values are released after the lock: releasing may run a `deinit` that takes it again.
        _ = world.state.withLock { state in
            (state.alive.removeValue(forKey: number), state.tasks.removeValue(forKey: number))
        }
    }

    // MARK: Switching

    /// Goes on in the target: its switch returns the value, or its body begins with it. Called on the greenlet that runs.
    ///
    /// - Returns: The value of the switch back, or the result of a greenlet that ended with this one as its parent.
    /// - Throws: What was thrown into this one, or out of a greenlet that ended with it as its parent; ``GreenletError``
    ///   for a target that is dead, has no body, or is of another run, for a caller that is not this greenlet, and when the
    ///   run has ended. A switch to itself returns the value at once.
    @inlinable
    @discardableResult
    public func `switch`(to target: Greenlet, with value: Value) async throws -> Value {
        let next = try check(target)
        if next === self { return value }
        return try await unsafe RuntimeShortcuts.suspend { continuation in
            unsafe phase = unsafe .waiting(continuation)
            next.go(on: .success(value))
        }
    }

    /// Goes on in the target, whose switch throws the error. A target that has not begun ends with the error.
    ///
    /// Otherwise as ``switch(to:with:)``.
    @discardableResult
    public func `throw`(_ error: any Error, into target: Greenlet) async throws -> Value {
        let next = try check(target)
        if next === self { throw error }
        return try await give(error, to: next)
    }

    private func give(_ error: any Error, to target: Greenlet) async throws -> Value {
        try await unsafe RuntimeShortcuts.suspend { continuation in
            unsafe phase = unsafe .waiting(continuation)
            target.go(on: .failure(error))
        }
    }

    /// - Returns: The greenlet that goes on: the target, if a switch to it is possible and the caller is this greenlet.
    @inlinable
    func check(_ target: Greenlet) throws -> Greenlet {
        guard isCaller else { throw GreenletError.notRunning }
        guard target.world === world else { throw GreenletError.stranger }
        if case .waiting = unsafe target.phase, !(unsafe world.isEnding) { return target }
        return try checkOtherwise(target)
    }

    /// Whether the caller is this greenlet's own task, and not another task of the loop or a child.
    @usableFromInline var isCaller: Bool { runner.load(ordering: .relaxed) == RuntimeShortcuts.currentTask }

    @usableFromInline
    func checkOtherwise(_ target: Greenlet) throws -> Greenlet {
        if unsafe world.isEnding, parent != nil { return try refuse() }
        if target.isDead { throw GreenletError.dead }
        if case .fresh = unsafe target.phase, target.function == nil { throw GreenletError.noBody }
        return target
    }

    /// Makes a switch throw after the run has ended. After a hundred of them this greenlet is left suspended.
    ///
    /// - Returns: The first greenlet, which goes on with ending the others.
    private func refuse() throws -> Greenlet {
        ignored += 1
        world.state.withLock { $0.tasks[number] }?.cancel()
        if ignored <= 100 { throw GreenletError.ended }
        var first = self
        while let parent = first.parent { first = parent }
        return first
    }

    @inlinable
    func go(on result: Result<Value, any Error>) {
        if case .waiting(let continuation) = unsafe phase {
            unsafe phase = .running
            unsafe continuation.resume(with: result)
        } else {
            inherit(result)
        }
    }

    /// Hands a result to this greenlet. If it has ended, or has no body to begin with, its parent gets the result, and so on.
    @usableFromInline
    func inherit(_ inheritance: Result<Value, any Error>) {
        var (heir, result): (Greenlet?, _) = (self, inheritance)
        while let next = heir {
            switch unsafe next.phase {
            case .waiting: return next.go(on: result)
            case .running: return
            case .dead: break
            case .fresh:
                if unsafe world.isEnding {
                    result = .failure(GreenletError.ended)
                } else if case .success(let value) = result {
                    if let function = next.function { return next.begin(function, value) }
                    result = .failure(GreenletError.noBody)
                }
                next.die()
            }
            heir = next.parent
        }
    }

    private func begin(_ function: @escaping @Sendable (Value) async throws -> Value, _ value: Value) {
        self.function = nil
        unsafe phase = .running
        let task = Task(executorPreference: world.loop) { [self] in
            runner.store(RuntimeShortcuts.currentTask, ordering: .relaxed)
            do { end(.success(try await function(value))) } catch { end(.failure(error)) }
        }
        let isCancelled = world.state.withLock { state in
            // The task may have ended already, on another thread, when the loop has ended.
            if state.alive[number] != nil { state.tasks[number] = task }
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    private func end(_ result: Result<Value, any Error>) {
        die()
        parent?.inherit(result)
    }
}

extension Greenlet where Value == Void {
    /// As ``switch(to:with:)``, without a value.
    @inlinable
    public func `switch`(to target: Greenlet) async throws { try await self.switch(to: target, with: ()) }

    /// As `body(_:)`, without values.
    public func body(_ function: @escaping @Sendable () async throws -> Void) {
        body { (_: Void) in try await function() }
    }
}
