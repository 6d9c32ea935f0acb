@main struct TLSEcho { static func main() {} }
