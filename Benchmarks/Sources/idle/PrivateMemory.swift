import Foundation

/// Bytes of memory that only this process holds. Unlike the resident set it leaves out shared libraries and files.
func privateMemory(of process: Int32) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8)
    return text.split(separator: "\n").reduce(0) { total, line in
        let words = line.split(separator: " ")
        guard words.count == 3, words[0].hasPrefix("Private_"), words[0] != "Private_Hugetlb:" else { return total }
        return total + (Int(words[1]) ?? 0) * 1024
    }
}
