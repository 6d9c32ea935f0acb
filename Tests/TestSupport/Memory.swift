import CSanitizers
import Foundation

/// The bytes of the process that are in memory.
public func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize())
}

/// Whether the thread sanitizer or the address sanitizer is in the process: both keep freed memory and slow things down.
public let isSanitized = csanitizers_are_there() != 0
