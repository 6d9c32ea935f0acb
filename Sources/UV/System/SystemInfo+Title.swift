internal import CLibuv
internal import CPlatform
internal import Synchronization

extension SystemInfo {
    /// What lists of processes show of this one: at first its command line.
    ///
    /// - Throws: ``UVError`` with `.noBufferSpace` where the system does not tell where the command line is.
    ///
    /// Calls `uv_setup_args`, `uv_get_process_title`.
    public static var processTitle: String {
        get throws(UVError) {
            try check(titleStatus, "processTitle")
            return unsafe try text("processTitle") { buffer, size in
                let status = unsafe uv_get_process_title(buffer, size.pointee)
                // It does not tell how much it needs.
                if status < 0 { unsafe size.pointee *= 2 }
                return status
            }
        }
    }

    /// Sets what lists of processes show of this one; the calling thread gets the name, too, cut at 15 bytes.
    ///
    /// A title takes the place of the command line in memory, and what does not fit there is cut: a program that was started with
    /// few arguments has room for a short title only. `CommandLine.arguments` stay what they were.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a title with a NUL, `.noBufferSpace` where the system does not tell
    ///   where the command line is.
    ///
    /// Calls `uv_setup_args`, `uv_set_process_title`.
    public static func setProcessTitle(_ title: String) throws(UVError) {
        guard !title.utf8.contains(0) else {
            throw UVError(.invalidArgument, in: "setProcessTitle", of: "\"\(title)\"")
        }
        try check(titleStatus, "setProcessTitle")
        try check(unsafe uv_set_process_title(title), "setProcessTitle", of: "\"\(title)\"")
    }

    /// Lets libuv know the command line, once.
    private static let titleStatus: CInt = {
        // Swift reads the command line when somebody asks first: after this it would be the title.
        _ = CommandLine.arguments
        ProcessSetup.noteUse()
        var count: CInt = 0
        guard let arguments = unsafe cplatform_arguments(&count), count > 0 else { return UV_ENOBUFS.rawValue }
        // libuv keeps the texts' places, not the list.
        _ = unsafe uv_setup_args(count, arguments)
        unsafe cplatform_forget_arguments(arguments)
        return 0
    }()
}
