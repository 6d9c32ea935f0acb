public import AsyncUV

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
/// greenlet that ends hands its result, or its error, to its parent. All greenlets of a ``run(_:)`` live on one loop and
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
        @usableFromInline let loop: EventLoop
        /// Those with a body that has not ended. The body mostly refers to its greenlet, so somebody has to end the cycle.
        var alive: [ObjectIdentifier: Greenlet] = [:]
        var isCancelled = false
        @exclusivity(unchecked) @usableFromInline var isEnding = false
        init(_ loop: EventLoop) { self.loop = loop }
    }

    /// Who goes on when this one ends; `nil` for the first.
    public private(set) var parent: Greenlet?
    @usableFromInline let world: World
    @exclusivity(unchecked) @usableFromInline var phase: Phase
    private var task: Task<Void, Never>?
    private var function: (@Sendable (Value) async throws -> Value)?

    /// Makes a greenlet that begins with the first switch to it: see ``body(_:)``.
    public init(parent: Greenlet) {
        self.parent = parent
        world = parent.world
        unsafe phase = .fresh
    }

    private init(_ loop: EventLoop) {
        parent = nil
        world = World(loop)
        unsafe phase = .running
    }

    /// A chain of parents is taken apart link by link: one inside the other, a long one would be more than the stack holds.
    deinit {
        var next = parent.take()
        while next != nil, isKnownUniquelyReferenced(&next) { next = next?.parent.take() }
    }

    /// Says what the greenlet does: it gets the value of the first switch to it and gives its result to its parent.
    ///
    /// To be called before that switch. The greenlet lives until its body or its ``run(on:_:)`` ends.
    public func body(_ function: @escaping @Sendable (Value) async throws -> Value) {
        guard world.loop.isCurrent, case .fresh = unsafe phase, !(unsafe world.isEnding) else { return }
        self.function = function
        world.alive[ObjectIdentifier(self)] = self
    }

    /// Whether the greenlet has ended.
    public var isDead: Bool { if case .dead = unsafe phase { true } else { false } }

    // MARK: Running

    /// Makes the caller the first greenlet, on a loop, and runs code in which others can be made and switched to.
    ///
    /// What has not ended when the code has is ended then: its switch throws ``GreenletError/ended``.
    ///
    /// - Returns: The code's value.
    ///
    /// Cancellation reaches all greenlets: `Task.isCancelled` is true in each, and what the running one waits for (a
    /// sleep, a socket) throws `CancellationError`, which goes to its parent unless it is caught. A switch is no wait,
    /// since the other side runs: it does not throw.
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
                Task(executorPreference: loop) { first.cancelOthers() }
            }
        }
    }

    private func cancelOthers() {
        // A loop that has ended runs its late jobs elsewhere, and its greenlets no more.
        guard world.loop.isCurrent else { return }
        world.isCancelled = true
        for other in world.alive.values { other.task?.cancel() }
    }

    private func endOthers() async {
        unsafe world.isEnding = true
        while let (id, other) = world.alive.first {
            world.alive[id] = nil
            if case .waiting = unsafe other.phase { _ = try? await `throw`(GreenletError.ended, into: other) }
            unsafe other.phase = .dead
            other.function = nil
        }
        unsafe phase = .dead
    }

    // MARK: Switching

    /// Goes on in the target, which gets the value from its switch, or begins with it. Called on the running greenlet.
    ///
    /// - Returns: The value of the switch back, or the result of a greenlet that ended with this one as its parent.
    /// - Throws: What was thrown into this one, or out of a greenlet that ended with it as its parent; ``GreenletError``
    ///   for a target that is dead or has no body, and for a caller that does not run.
    @inlinable
    @discardableResult
    public func `switch`(to target: Greenlet, with value: Value) async throws -> Value {
        try check(target)
        if target === self { return value }
        return try await unsafe _unsafeInheritExecutor_withUnsafeThrowingContinuation { continuation in
            unsafe phase = unsafe .waiting(continuation)
            target.go(on: .success(value))
        }
    }

    /// Throws an error into the target: its switch throws it. One that has not begun dies of it.
    ///
    /// Otherwise as ``switch(to:with:)``.
    @discardableResult
    public func `throw`(_ error: any Error, into target: Greenlet) async throws -> Value {
        try check(target)
        if target === self { throw error }
        return try await unsafe _unsafeInheritExecutor_withUnsafeThrowingContinuation { continuation in
            unsafe phase = unsafe .waiting(continuation)
            target.go(on: .failure(error))
        }
    }

    @inlinable
    func check(_ target: Greenlet) throws {
        guard world.loop.isCurrent, case .running = unsafe phase else { throw GreenletError.notRunning }
        guard target.world === world else { throw GreenletError.stranger }
        if case .waiting = unsafe target.phase, !(unsafe world.isEnding) { return }
        try checkOtherwise(target)
    }

    @usableFromInline
    func checkOtherwise(_ target: Greenlet) throws {
        if target.isDead { throw GreenletError.dead }
        if case .fresh = unsafe target.phase, target.function == nil { throw GreenletError.noBody }
        if unsafe world.isEnding, parent != nil { throw GreenletError.ended }
    }

    @inlinable
    func go(on result: Result<Value, any Error>) {
        if case .waiting(let continuation) = unsafe phase {
            unsafe phase = .running
            unsafe continuation.resume(with: result)
        } else {
            start(with: result)
        }
    }

    @usableFromInline
    func start(with result: Result<Value, any Error>) {
        guard case .fresh = unsafe phase else { return }
        switch result {
        case .success(let value): begin(value)
        case .failure: end(result)
        }
    }

    private func begin(_ value: Value) {
        guard let function else { return end(.failure(GreenletError.noBody)) }
        self.function = nil
        unsafe phase = .running
        task = Task(executorPreference: world.loop) { [self] in
            do { end(.success(try await function(value))) } catch { end(.failure(error)) }
        }
        if world.isCancelled { task?.cancel() }
    }

    /// The parent rule.
    private func end(_ result: Result<Value, any Error>) {
        unsafe phase = .dead
        function = nil
        task = nil
        world.alive[ObjectIdentifier(self)] = nil
        var heir = parent
        while let next = heir, next.isDead { heir = next.parent }
        heir?.go(on: result)
    }
}

extension Greenlet where Value == Void {
    /// As ``switch(to:with:)``, without a value.
    @inlinable
    public func `switch`(to target: Greenlet) async throws { try await self.switch(to: target, with: ()) }

    /// As ``body(_:)``, without values.
    public func body(_ function: @escaping @Sendable () async throws -> Void) {
        body { (_: Void) in try await function() }
    }
}

/// What can be wrong with a switch between greenlets.
public enum GreenletError: Error, Hashable, Sendable {
    /// The greenlet that is to give way does not run at the moment.
    case notRunning
    /// The target has ended.
    case dead
    /// The target was never given a body.
    case noBody
    /// The target belongs to another ``Greenlet/run(on:_:)``.
    case stranger
    /// Thrown into greenlets that are left when ``Greenlet/run(on:_:)`` ends.
    case ended
}

extension GreenletError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notRunning: "a greenlet that does not run cannot give way"
        case .dead: "the greenlet to switch to is dead"
        case .noBody: "the greenlet to switch to has no body"
        case .stranger: "the greenlet to switch to belongs to another run"
        case .ended: "the greenlets' run has ended"
        }
    }
}
