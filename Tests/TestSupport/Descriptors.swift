import Foundation
import Testing
import UV

/// Fails when sockets stay open that were not open before.
///
/// Tests run in parallel in one process. What the others hold goes away when they end; a leak stays. Pipes are not
/// counted: each loop has one, and tests of long loops would keep all others waiting. Tests of other modules may hold
/// sockets for minutes, so it looks only where `make test` gives a module a process of its own.
public func withoutDescriptorLeak(_ body: () throws -> Void) rethrows {
    guard isModuleAlone else { return try body() }
    let left = try socketsLeftOpen(patience: .seconds(30), by: body)
    if !left.isEmpty { Issue.record("sockets leaked: \(left)") }
}

/// What is open so long after the closure and was not before it.
public func socketsLeftOpen(patience: Duration, by body: () throws -> Void) rethrows -> [CInt: String] {
    let before = Set(openSockets().values)
    try body()
    var left = openSockets().filter { !before.contains($0.value) }
    let deadline = Loop.hrtime + patience
    while !left.isEmpty, Loop.hrtime < deadline {
        usleep(20_000)
        left = left.filter { kernelName(of: $0.key) == $0.value }
    }
    return left
}

/// Whether `make test` gives the tests of a module a process of their own.
public let isModuleAlone = ProcessInfo.processInfo.environment["SWIFT_UV_TEST_MODULE"] != nil

private func openSockets() -> [CInt: String] {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    var found: [CInt: String] = [:]
    for case let descriptor? in numbers.map({ CInt($0) }) {
        let name = kernelName(of: descriptor)
        if name.hasPrefix("socket:") { found[descriptor] = name }
    }
    return found
}

/// For example `socket:[4711]`; the number is never used again. Empty where there is no /proc.
private func kernelName(of descriptor: CInt) -> String {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
        let size = unsafe buffer.withMemoryRebound(to: CChar.self) {
            unsafe readlink("/proc/self/fd/\(descriptor)", $0.baseAddress!, $0.count)
        }
        return unsafe size < 0 ? "" : String(decoding: buffer[..<size], as: UTF8.self)
    }
}

/// How many descriptors the process has. Exact in a child process with one thread only.
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

/// The number that the next descriptor gets. A limit of as many lets none be opened, whatever high numbers the process
/// has inherited.
public func lowestFreeDescriptor() -> Int {
    let next = dup(0)
    defer { close(next) }
    return Int(next)
}
