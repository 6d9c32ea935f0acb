import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite struct SystemInfoTests {
    @Test func libuv() {
        let parts = SystemInfo.libuvVersion.split(separator: ".").compactMap { UInt32($0.prefix { $0.isNumber }) }
        #expect(parts.count == 3 && parts[0] << 16 | parts[1] << 8 | parts[2] == SystemInfo.libuvVersionNumber)
        #expect(SystemInfo.libuvVersionNumber >= 0x012C02)
        // Set by Scripts/newer-libuv.
        if let expected = ProcessInfo.processInfo.environment["SWIFT_UV_EXPECTED_LIBUV"] {
            #expect(SystemInfo.libuvVersion == expected)
        }
    }

    @Test func machine() throws {
        var name = utsname()
        #expect(unsafe uname(&name) == 0)
        let kernel = try SystemInfo.kernel
        #expect(text(of: name.sysname) == kernel.name)
        #expect(text(of: name.release) == kernel.release)
        #expect(text(of: name.machine) == kernel.machine)
        #expect(!kernel.version.isEmpty)
        #expect(try SystemInfo.hostName == ProcessInfo.processInfo.hostName || !SystemInfo.hostName.isEmpty)
        let uptime = try SystemInfo.uptime
        #expect(uptime > .zero && abs(uptime / .seconds(1) - ProcessInfo.processInfo.systemUptime) < 60)
        let load = SystemInfo.loadAverage
        #expect(load.one >= 0 && load.five >= 0 && load.fifteen >= 0)
    }

    private func text<Field>(of field: Field) -> String {
        unsafe withUnsafeBytes(of: field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    @Test func processors() throws {
        let processors = try SystemInfo.processors
        #expect(processors.count >= Processors.allowed)
        #expect(processors.allSatisfy { !$0.model.isEmpty && $0.speed >= 0 })
        #expect(processors.contains { $0.user + $0.system + $0.idle > .zero })
    }

    @Test func memory() throws {
        #expect(SystemInfo.totalMemory > 1 << 20)
        #expect((1...SystemInfo.totalMemory).contains(SystemInfo.freeMemory))
        #expect(SystemInfo.availableMemory <= SystemInfo.freeMemory + 1 << 30)
        if let limit = SystemInfo.constrainedMemory { #expect(limit > 0) }
        let before = try SystemInfo.residentMemory
        let block = [UInt8](repeating: 1, count: 64 << 20)
        let after = try SystemInfo.residentMemory
        #expect(before > 1 << 20 && after > before)
        #expect(block.last == 1)
    }

    @Test func process() throws {
        #expect(SystemInfo.processID == getpid() && SystemInfo.parentProcessID == getppid())
        let executable = try FileDescriptor.open(SystemInfo.executablePath, .readOnly)
        try executable.close()
        #expect(try SystemInfo.currentDirectory.string == FileManager.default.currentDirectoryPath)
        let usage = try SystemInfo.resourceUsage
        #expect(usage.user + usage.system > .zero)
        #expect(try usage.mostMemory >= SystemInfo.residentMemory / 2)
        #expect(usage.minorPageFaults > 0)
        // Linux has one for each thread, and Dispatch gives its own 0, whatever that of the process, its first thread, is.
        let priority = try SystemInfo.priority()
        #expect(priority == Int(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)))
        #expect(
            try SystemInfo.priority(of: getpid())
                == Int(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(getpid()))))
        try SystemInfo.setPriority(priority)
        expect(.invalidArgument, of: "20") { try SystemInfo.setPriority(20) }
        expect(.invalidArgument, of: "-21") { try SystemInfo.setPriority(-21) }
        // The largest number of a process is 4,194,303.
        expect(.noSuchProcess, of: "process 2147483647") { try SystemInfo.priority(of: .max) }
        expect(.noSuchFileOrDirectory, of: "/nowhere/at/all") { try SystemInfo.setCurrentDirectory("/nowhere/at/all") }
        try SystemInfo.setCurrentDirectory(SystemInfo.currentDirectory)
    }

    @Test func changedDirectory() async {
        await #expect(processExitsWith: .success) {
            let folder = try FilePath(SystemInfo.currentDirectory.string)
            try SystemInfo.setCurrentDirectory("/")
            #expect(try SystemInfo.currentDirectory == "/")
            try SystemInfo.setCurrentDirectory(folder)
            #expect(try SystemInfo.currentDirectory == folder)
        }
    }

    @Test func user() throws {
        let user = try SystemInfo.user
        #expect(user.id == geteuid() && !user.name.isEmpty && user.homeDirectory.isAbsolute)
        #expect(try SystemInfo.homeDirectory.isAbsolute)
    }

    @Test("In a process of its own: nobody else looks at the environment meanwhile")
    func environment() async {
        await #expect(processExitsWith: .success) {
            let name = "SWIFT_UV_TEST"
            #expect(try SystemInfo.environmentValue(of: name) == nil)
            // The last is longer than the first buffer.
            for value in ["", "a=b", String(repeating: "ä", count: 5_000)] {
                try SystemInfo.setEnvironmentValue(value, of: name)
                #expect(try SystemInfo.environmentValue(of: name) == value)
                #expect(try SystemInfo.environment[name] == value)
            }
            try SystemInfo.setEnvironmentValue(nil, of: name)
            #expect(try SystemInfo.environmentValue(of: name) == nil)
            #expect(try SystemInfo.environment == ProcessInfo.processInfo.environment)
        }
    }

    @Test func badNamesOfVariables() {
        for bad in ["", "a=b", "a\0b"] {
            expect(.invalidArgument, of: "setEnvironmentValue") { try SystemInfo.setEnvironmentValue("1", of: bad) }
        }
        expect(.invalidArgument, of: "setEnvironmentValue") { try SystemInfo.setEnvironmentValue("1\02", of: "A") }
        expect(.invalidArgument, of: "environmentValue") { try SystemInfo.environmentValue(of: "a\0") as Any }
    }
}
