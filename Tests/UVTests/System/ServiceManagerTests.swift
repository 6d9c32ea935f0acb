import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What needs an environment of its own runs in a process of its own.
@Suite struct ServiceManagerTests {
    @Test func namesOfSockets() throws {
        let own = "\(getpid())"
        let names = { (process: String?, count: String?, names: String?) in
            try ServiceManager.socketNames(process: process, count: count, names: names)
        }
        #expect(try names(own, "2", "web:admin") == ["web", "admin"])
        #expect(try names(own, "2", nil) == ["unknown", "unknown"])
        #expect(try names(own, "2", "web:") == ["web", ""])
        #expect(try names(own, "0", "") == [])
        #expect(try names("1", "2", "web:admin") == [], "they are another process's")
        #expect(try names(nil, "2", "web:admin") == [] && names(own, nil, nil) == [])
        for (process, count, list) in [
            ("self", "1", "a"), ("-1", "1", "a"), (own, "-1", nil), (own, "two", nil), (own, "1", "a:b"),
            (own, "3", "a:b"),
        ] {
            expectError(.invalidArgument) { _ = try names(process, count, list) }
        }
    }

    @Test func nobodyManagesTheTests() throws {
        #expect(try ServiceManager.takeSockets().isEmpty)
        #expect(try !ServiceManager.notify(.ready) && !ServiceManager.isListening)
        #expect(ServiceManager.watchdogInterval == nil)
    }

    @Test func aDescriptorThatIsNotOpen() async {
        await #expect(processExitsWith: .success) {
            try SystemInfo.setEnvironmentValue("\(getpid())", of: "LISTEN_PID")
            try SystemInfo.setEnvironmentValue("60000", of: "LISTEN_FDS")
            for _ in 0..<2 { expectError(.badFileDescriptor) { _ = try ServiceManager.takeSockets() } }
        }
    }

    @Test("What the manager hears, by a path and by an abstract name")
    func notify() async {
        await #expect(processExitsWith: .success) {
            let folder = FilePath(NSTemporaryDirectory()).appending("manager-\(getpid())")
            for manager in [try ManagerSocket(), try ManagerSocket(path: folder)] {
                try SystemInfo.setEnvironmentValue(manager.name, of: "NOTIFY_SOCKET")
                #expect(try ServiceManager.notify(.ready, .status("3 clients\nREADY=0\r\nand more")))
                #expect(try manager.receive() == "READY=1\nSTATUS=3 clients READY=0 and more")
                #expect(try ServiceManager.notify(.stopping))
                #expect(try manager.receive() == "STOPPING=1")
                try ServiceManager.notify(.extendTimeout(.seconds(3)), .other("X\nY", "1\n2"), .alive, .failed)
                #expect(try manager.receive() == "EXTEND_TIMEOUT_USEC=3000000\nX Y=1 2\nWATCHDOG=1\nWATCHDOG=trigger")
                try ServiceManager.notify(.reloading)
                #expect(try manager.receive().hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
                #expect(try !ServiceManager.notify(), "nothing is no message")
            }
            unsafe unlink(folder.string)
        }
    }

    @Test func managersThatDoNotListen() async {
        await #expect(processExitsWith: .success) {
            try SystemInfo.setEnvironmentValue("/nowhere/at/all", of: "NOTIFY_SOCKET")
            expectError(.noSuchFileOrDirectory) { try ServiceManager.notify(.ready) }
            try SystemInfo.setEnvironmentValue("vsock:2:1234", of: "NOTIFY_SOCKET")
            expectError(.invalidArgument) { try ServiceManager.notify(.ready) }
            try SystemInfo.setEnvironmentValue("@\(String(repeating: "x", count: 200))", of: "NOTIFY_SOCKET")
            expectError(.fileNameTooLong) { try ServiceManager.notify(.ready) }
            try SystemInfo.setEnvironmentValue("", of: "NOTIFY_SOCKET")
            #expect(try !ServiceManager.notify(.ready))
        }
    }

    @Test func aManagerThatDoesNotRead() async {
        await #expect(processExitsWith: .success) {
            let manager = try ManagerSocket()
            try SystemInfo.setEnvironmentValue(manager.name, of: "NOTIFY_SOCKET")
            expectError(.resourceTemporarilyUnavailable) {
                for _ in 0..<100_000 { try ServiceManager.notify(.alive) }
            }
        }
    }

    @Test func theWatchdogsInterval() async {
        await #expect(processExitsWith: .success) {
            try SystemInfo.setEnvironmentValue("1500000", of: "WATCHDOG_USEC")
            #expect(ServiceManager.watchdogInterval == .milliseconds(1_500))
            try SystemInfo.setEnvironmentValue("1", of: "WATCHDOG_PID")
            #expect(ServiceManager.watchdogInterval == nil, "it watches another process")
            try SystemInfo.setEnvironmentValue("\(getpid())", of: "WATCHDOG_PID")
            #expect(ServiceManager.watchdogInterval == .milliseconds(1_500))
            for senseless in ["0", "-5", "soon", ""] {
                try SystemInfo.setEnvironmentValue(senseless, of: "WATCHDOG_USEC")
                #expect(ServiceManager.watchdogInterval == nil)
            }
        }
    }
}
