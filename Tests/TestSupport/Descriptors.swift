import Foundation
public import SystemPackage
import Testing
import UV

/// Fails when sockets stay open that were not open before.
///
/// Tests run in parallel in one process. What the others hold goes away when they end; a leak stays. Pipes are not
/// counted: each loop has one, and tests of long loops would keep all others waiting. Tests of other modules may hold
/// sockets for minutes, so it looks only where `make test` gives a module a process of its own.
public func withoutDescriptorLeak(_ body: () throws -> Void) rethrows {
    guard isModuleAlone else { return try body() }
    _ = foundationsSockets
    let left = try socketsLeftOpen(patience: .seconds(60 * patience), by: body)
    if !left.isEmpty { Issue.record("sockets leaked: \(left)") }
}

/// Foundation opens two sockets with the first `Process` that it starts, and keeps them: were that one the test beside, they
/// would look like a leak.
private let foundationsSockets: Void = {
    let program = Process()
    program.executableURL = URL(filePath: "/bin/true")
    try? program.run()
    program.waitUntilExit()
}()

/// What is open so long after the closure and was not before it.
public func socketsLeftOpen(patience: Duration, by body: () throws -> Void) rethrows -> [CInt: String] {
    let before = Set(openSockets().values)
    try body()
    var left = openSockets().filter { !before.contains($0.value) }
    let deadline = Loop.hrtime + patience
    while !left.isEmpty, Loop.hrtime < deadline {
        usleep(20_000)
        let open = openSockets()
        left = left.filter { open[$0.key] == $0.value }
    }
    return left
}

/// Whether `make test` gives the tests of a module a process of their own.
public let isModuleAlone = ProcessInfo.processInfo.environment["SWIFT_UV_TEST_MODULE"] != nil

func openSockets() -> [CInt: String] { openDescriptors(named: "socket:") }

/// The files in a folder, and that folder itself, that the process has open.
public func openFiles(in folder: FilePath) -> [String] {
    openDescriptors(named: folder.string).values.filter { ($0 + "/").hasPrefix(folder.string + "/") }
}

/// What the process has open whose name in the kernel begins so. Sockets are called `socket:[4711]`, and the number is
/// never used again. Empty where there is no /proc.
///
/// Without Foundation, which takes a tenth of a second where 10,000 descriptors are open.
private func openDescriptors(named prefix: String) -> [CInt: String] {
    guard let directory = unsafe opendir("/proc/self/fd") else { return [:] }
    defer { unsafe closedir(directory) }
    var found: [CInt: String] = [:]
    while let entry = unsafe readdir(directory) {
        let number = unsafe (UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!)
            .assumingMemoryBound(to: CChar.self)
        if let name = unsafe kernelName(of: number, in: dirfd(directory), ifItBeginsWith: prefix) {
            found[unsafe CInt(atoi(number))] = name
        }
    }
    return found
}

private func kernelName(
    of descriptor: UnsafePointer<CChar>, in directory: CInt, ifItBeginsWith prefix: String
) -> String? {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
        let size = unsafe readlinkat(directory, descriptor, buffer.baseAddress!, buffer.count)
        guard size >= prefix.utf8.count, unsafe strncmp(buffer.baseAddress!, prefix, prefix.utf8.count) == 0
        else { return nil }
        return unsafe String(
            decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<size]), as: UTF8.self)
    }
}

/// How many descriptors the process has, with those that Dispatch keeps from the first sleep on that needs a timer, and
/// somebody, such as a test's watchdog, will sleep. For a child process: threads that are not ours may have others for a
/// moment.
public func countLastingDescriptors() async -> Int {
    await letDispatchOpenItsDescriptors()
    return countDescriptors()
}

/// For a child process that will have no descriptors: Dispatch ends the process when it has none for its first sleep.
public func letDispatchOpenItsDescriptors() async {
    #if os(Linux)
    repeat { try? await Task.sleep(for: .milliseconds(1)) } while openDescriptors(named: "anon_inode:[timerfd]").isEmpty
    #endif
}

/// How many descriptors the process has at the moment.
public func countDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
}

/// Lets the process have this many descriptors and no more.
public func limitDescriptors(to most: Int) {
    #if os(Linux)
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    unsafe getrlimit(resource, &limit)
    limit.rlim_cur = rlim_t(most)
    unsafe setrlimit(resource, &limit)
}

/// Lets the process open no descriptor at all. The three of standard input and output are open always; a limit above a
/// number that another thread may close, the lowest free one for instance, would let one be opened now and then.
public func forbidDescriptors() { limitDescriptors(to: 3) }

/// The number that the next descriptor gets, for a limit that lets a few be opened.
public func lowestFreeDescriptor() -> Int {
    let next = dup(0)
    defer { close(next) }
    return Int(next)
}
