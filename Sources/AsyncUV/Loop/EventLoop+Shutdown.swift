internal import UV

extension EventLoop {
    /// Ends the loop: what is under way ends with ``UVError`` `.canceled`, everything on it is closed.
    ///
    /// Returns when its own thread is gone, or ``run(label:servesMainActor:_:)`` has closed everything, which takes as long as an
    /// operation on a file that has begun: the system has no way to stop it. Tasks that prefer the loop go on elsewhere;
    /// operations on it throw. A second call, and one on ``shared``, does nothing. An adopted loop ends in turns that its owner runs. Handles
    /// that C code has on the loop should be closed first, because they stay open otherwise, and what they use is never freed.
    ///
    /// - Parameter grace: How long those who are connected may go on. First the loop's ``TCPListener``s close: nobody new
    ///   comes. The loop ends as soon as everybody whom ``TCPListener/serve(maxConnections:idleTimeout:onError:_:)`` serves on it has
    ///   been served, or else when this time is over. A handler that calls this waits for itself.
    ///   Reads that are `untilDraining` find the end of their stream, so that clients that send nothing are not waited for.
    ///
    /// Cancellation: ends the grace; it does not hurry the rest.
    public func shutdown(grace: Duration = .zero) async {
        if isShared { return }
        if grace > .zero {
            // The loop ends in either case: when all have been served, and when the time is over.
            try? await withTimeout(grace, on: self) {
                try await self.perform("shutdown") { core, pending in core.servers.drain(pending) }
            }
        }
        stop()
        let slow = SlowShutdown(of: self)
        await ending.wait()
        slow?.end()
        ownThread?.join()
    }

    /// Begins the loop's end.
    func stop() {
        if isCurrent { core.open(on: self).stop() } else { post { self.core.open(on: self).stop() } }
    }
}
