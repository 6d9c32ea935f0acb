import ArgumentParser
import ExampleSupport
import UV

@main struct SystemInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "system-info",
        abstract: "Prints what libuv knows of this machine, this process and its user.",
        discussion: "What the system does not tell is a dash.")

    @Flag(help: "Print the addresses of the network interfaces only.")
    var addresses = false

    func run() throws {
        if addresses { return try printAddresses() }
        let kernel = try SystemInfo.kernel
        show("system", "\(kernel.name) \(kernel.release) on \(kernel.machine)")
        show("host name", try? SystemInfo.hostName)
        show("running for", try SystemInfo.uptime.text)
        let load = SystemInfo.loadAverage
        show(
            "load", [load.one, load.five, load.fifteen].map { "\(($0 * 100).rounded() / 100)" }.joined(separator: ", "))
        let processors = try SystemInfo.processors
        show(
            "processors",
            "\(processors.count), \(Processors.allowed) for this process: \(processors.first?.model ?? "-")")
        show("memory", "\(text(SystemInfo.totalMemory)), free \(text(SystemInfo.freeMemory))")
        show("limit of memory", SystemInfo.constrainedMemory.map(text))
        show("user", try? SystemInfo.user.name)
        show("program", try SystemInfo.executablePath.string)
        show("directory", try SystemInfo.currentDirectory.string)
        show("process", "\(SystemInfo.processID), started by \(SystemInfo.parentProcessID)")
        let usage = try SystemInfo.resourceUsage
        show("its CPU time", "\(usage.user.text) and \(usage.system.text) in the kernel")
        show("its memory", text(usage.mostMemory))
        show("libuv", SystemInfo.libuvVersion)
    }

    private func printAddresses() throws {
        for address in try NetworkInterface.addresses {
            printLine(
                "\(address.name.padded(to: 12)) \(address.hardwareAddress) \(address.address.host) mask \(address.mask.host)"
            )
        }
    }

    private func show(_ name: String, _ value: String?) { printLine("\(name.padded(to: 16)) \(value ?? "-")") }

    private func text(_ bytes: UInt64) -> String { "\((bytes >> 20).grouped) MiB" }
}
