import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Watches a folder, does things there as soon as everything is watched, and returns what was told, up to the end of it all.
///
/// The end is a file that is made at last: what was told before it or with it is complete.
@discardableResult
func changes(
    in folder: TestFolder, at path: FilePath? = nil, _ options: TreeWatcher.Options = .init(), mark: String = "end",
    _ act: @escaping (TreeWatcher) throws -> Void
) throws -> [FileChange] {
    var told: [FileChange] = []
    let last = FilePath(mark).lastComponent
    try withLoop { loop in
        _ = try TreeWatcher(at: path ?? folder.path, options: options, on: loop) { watcher, event in
            switch event {
            case .ready:
                do { try act(watcher) } catch {
                    Issue.record(error)
                    watcher.close()
                }
                if !mark.isEmpty { folder.write(mark, []) }
            case .changes(let changes):
                told += changes.filter { $0.path.lastComponent != last }
                if changes.contains(where: { $0.path.lastComponent == last }) { watcher.close() }
            case .problem(let error): Issue.record(error)
            case .ended(let error): #expect(error == nil)
            }
        }
    }
    return told
}

extension [FileChange] {
    /// For comparisons: without the folder's path.
    func texts(in folder: TestFolder) -> [String] {
        map { $0.description.replacingOccurrences(of: folder.path.string + "/", with: "") }
    }
}

/// The files and directories of a tree, as somebody knows them who has heard of all changes.
struct KnownTree: Equatable {
    private(set) var paths: [FilePath: Bool] = [:]

    /// What is there now.
    init(readFrom root: FilePath) {
        guard let walk = FileManager.default.enumerator(atPath: root.string) else { return }
        for case let name as String in walk {
            paths[root.appending(name)] = walk.fileAttributes?[.type] as? FileAttributeType == .typeDirectory
        }
    }

    mutating func apply(_ change: FileChange) {
        switch change.kind {
        case .created: paths[change.path] = change.isDirectory
        case .removed: remove(change.path)
        case .renamed(let old):
            remove(change.path)
            for (path, isDirectory) in paths where path.starts(with: old) {
                paths[path] = nil
                paths[change.path.appending(path.components.dropFirst(old.components.count))] = isDirectory
            }
        case .modified, .metadata, .overflow: break
        }
    }

    private mutating func remove(_ path: FilePath) {
        for known in paths.keys where known.starts(with: path) { paths[known] = nil }
    }

    /// What one knows and the other does not.
    func difference(from other: Self) -> [String] {
        let all = Set(paths.keys).union(other.paths.keys)
        return all.filter { paths[$0] != other.paths[$0] }.map {
            "\($0): \(paths[$0] as Any), \(other.paths[$0] as Any)"
        }
    }
}
