#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif
public import UV

/// Makes `localizedDescription` say what an error's description says.
///
/// Neither `UV` nor `AsyncUV` imports Foundation. A program that shows `localizedDescription` to somebody adds this
/// product to its dependencies, and imports it in any one file. Without it only the system's sentence is shown,
/// without the operation and its subject.
extension UVError: LocalizedError {
    public var errorDescription: String? { description }
    public var recoverySuggestion: String? { advice }
}
