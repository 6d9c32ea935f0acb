import Testing
import UV

@Suite struct NetworkInterfaceTests {
    @Test("The loopback interface has its address, its mask and no hardware")
    func loopback() throws {
        let addresses = try NetworkInterface.addresses
        let loopback = try #require(addresses.first { $0.address == .loopback(port: 0) })
        #expect(loopback.isLoopback && loopback.mask.host == "255.0.0.0")
        #expect(loopback.hardwareAddress == "00:00:00:00:00:00")
        for address in addresses {
            let index = try NetworkInterface.index(of: address.name)
            #expect(index > 0 && address.address.port == 0 && address.hardwareAddress.utf8.count == 17)
            #expect(address.address.family == address.mask.family)
        }
    }
}
