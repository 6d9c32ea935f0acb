internal import DequeModule
internal import SystemPackage
internal import UV

/// The part of ``FileChanges`` that lives on its loop's thread.
final class FileChangesCore {
    private let path: FilePath
    private let limit: Int
    private var watcher: TreeWatcher?
    private var arrived: Deque<FileChange> = []
    private var waiting: Deque<(wait: Wait<[FileChange]>, most: Int)> = []
    /// Set by the watcher's last event; an error is thrown once.
    private var isOver = false
    private var error: UVError?

    init(_ path: FilePath, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// - Parameter onReady: Called once, when everything is watched or cannot be.
    func watch(
        _ options: TreeWatcher.Options, on loop: Loop, onProblem: @escaping @Sendable (UVError) -> Void,
        onReady: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        var onReady: ((Result<Void, UVError>) -> Void)? = onReady
        watcher = try TreeWatcher(at: path, options: options, on: loop) { [self] _, event in
            switch event {
            case .ready: onReady.take()?(.success(()))
            case .changes(let changes): take(changes)
            case .problem(let error): onProblem(error)
            case .ended(let error):
                end(error)
                if let error { onReady.take()?(.failure(error)) }
            }
        }
    }

    private func take(_ changes: [FileChange]) {
        if arrived.count + changes.count > limit {
            arrived = [FileChange(.overflow, path, isDirectory: true)]
        } else {
            arrived.append(contentsOf: changes)
        }
        serve()
    }

    private func end(_ error: UVError?) {
        isOver = true
        self.error = error
        serve()
    }

    /// Gives what is there to those who wait.
    private func serve() {
        while !arrived.isEmpty || isOver, let (wait, most) = waiting.popFirst() {
            if arrived.isEmpty, let error = error.take() {
                wait.finish(.failure(error))
            } else {
                let changes = Array(arrived.prefix(most))
                if wait.finish(.success(changes)) { arrived.removeFirst(changes.count) }
            }
        }
    }

    /// - Parameter wait: Gets nothing when there will be no more changes.
    func take(_ most: Int, _ wait: Wait<[FileChange]>) {
        waiting.append((wait, most))
        wait.onCancel = { [unowned self, unowned wait] in
            if let index = waiting.firstIndex(where: { $0.wait === wait }) { waiting.remove(at: index) }
        }
        serve()
    }

    func close() {
        watcher?.close()
        watcher = nil
    }
}
