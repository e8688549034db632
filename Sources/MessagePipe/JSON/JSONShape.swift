// SPDX-License-Identifier: Apache-2.0

/// What objects that one program writes have in common: all of their text but the strings and numbers that are values.
///
/// The text between the values was checked by the grammar where it came from, and the values are checked where they are
/// found; so what fits is JSON, and its members are those of the object that the shape was taken from.
package struct JSONShape {
    /// Some text that must stand, and what follows it.
    private struct Step {
        /// Up to sixteen bytes; zeros behind them.
        var text = SIMD16<UInt8>(repeating: 0)
        /// All ones where the text has bytes.
        var mask = SIMD16<UInt8>(repeating: 0)
        var byteCount = 0
        /// How many bounds of members' values lie in the text, or at its end.
        var boundCount = 0
        var next = Next.step

        enum Next {
            /// More text.
            case step
            /// The rest of a string without escapes, less its closing quote.
            case string
            /// A number.
            case number
            /// The end of the object and the blanks around it.
            case end
        }
    }

    /// How many steps a shape may have.
    ///
    /// The lines of an input have a dozen; what has thousands would cost more memory than its lines, and time to take.
    private static let maximumStepCount = 256

    private var steps: [Step] = []
    /// Where the members' values start and end, in turn, counted from where their step's text ends.
    private var bounds: [Int] = []

    /// Takes the shape of an object; `nil` if a string of it has an escape, or if it has too many parts.
    ///
    /// - Parameters:
    ///   - bytes: Holds the object.
    ///   - range: Where it stands, with the blanks around it.
    ///   - members: Its members, as ``JSONScanner`` finds them.
    /// - Complexity: O(*n*) in the bytes of the range.
    package init?(of bytes: Span<UInt8>, _ range: Range<Int>, members: [JSONMember]) {
        guard members.count <= Self.maximumStepCount, let leaves = Self.leaves(bytes, range) else { return nil }
        var ends: [Int] = []
        var index = range.lowerBound
        for leaf in leaves + [(range.upperBound..<range.upperBound, .end)] {
            repeat {
                guard steps.count < Self.maximumStepCount else { return nil }
                let part = index..<min(index + 16, leaf.range.lowerBound)
                index = part.upperBound
                var step = Step(byteCount: part.count, next: index < leaf.range.lowerBound ? .step : leaf.kind)
                for (place, byte) in part.enumerated() {
                    guard bytes[byte] != UInt8(ascii: "\\") else { return nil }
                    step.text[place] = bytes[byte]
                    step.mask[place] = 0xFF
                }
                steps.append(step)
                ends.append(index)
            } while index < leaf.range.lowerBound
            for inside in leaf.range where bytes[inside] == UInt8(ascii: "\\") { return nil }
            index = leaf.range.upperBound
        }
        // A bound lies in the text of a step or at its end, and moves with it.
        for bound in members.flatMap({ [$0.value.lowerBound, $0.value.upperBound] }) {
            let step = ends.firstIndex { $0 >= bound } ?? 0
            bounds.append(bound - ends[step])
            steps[step].boundCount += 1
        }
    }

    /// Finds out whether an object has this shape, and where its values stand.
    ///
    /// - Parameters:
    ///   - bytes: Holds the object.
    ///   - range: Where it stands, with the blanks around it.
    ///   - members: The members of an object of this shape; their values move to where they stand in this one, or to
    ///     anywhere if it does not fit.
    /// - Returns: Whether it has; if not, it may still be JSON.
    func fits(_ bytes: Span<UInt8>, _ range: Range<Int>, members: inout [JSONMember]) -> Bool {
        let scanner = JSONScanner(bytes, range)
        var members = members.mutableSpan
        var index = range.lowerBound
        var bound = 0
        var start = index
        for place in steps.indices {
            let step = steps[place]
            // At the very end of the bytes there is no room to compare so; the grammar scans such a line.
            guard bytes.count &- index >= 16 else { return false }
            let isOther = (bytes.vector(at: index) ^ step.text) & step.mask
            let halves = unsafe unsafeBitCast(isOther, to: SIMD2<UInt64>.self)
            guard halves.x | halves.y == 0 else { return false }
            index &+= step.byteCount
            for _ in 0..<step.boundCount {
                let position = index &+ bounds[bound]
                if bound & 1 == 0 {
                    start = position
                } else {
                    members[bound &>> 1].move(toValue: start..<position)
                }
                bound &+= 1
            }
            switch step.next {
            case .step: continue
            case .string:
                guard let end = scanner.unescapedEnd(from: index) else { return false }
                index = end
            case .number:
                guard let end = try? scanner.number(at: index) else { return false }
                index = end
            case .end: return index == range.upperBound
            }
        }
        return false
    }

    /// The strings and numbers of an object that are values, the strings without their quotes; `nil` if they are too many.
    private static func leaves(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [(range: Range<Int>, kind: Step.Next)]? {
        var leaves: [(range: Range<Int>, kind: Step.Next)] = []
        var index = range.lowerBound
        while index < range.upperBound {
            guard leaves.count < maximumStepCount else { return nil }
            let start = index
            index += 1
            switch bytes[start] {
            case UInt8(ascii: "\""):
                while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
                if !isName(bytes, endingAt: index) { leaves.append(((start + 1)..<index, .string)) }
                index += 1
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                while isOfNumber(bytes[index]) { index += 1 }
                leaves.append((start..<index, .number))
            default:
                break
            }
        }
        return leaves
    }

    /// Whether the string with its closing quote at an index is a member's name.
    private static func isName(_ bytes: Span<UInt8>, endingAt quote: Int) -> Bool {
        var index = quote + 1
        while bytes[index] <= 0x20 { index += 1 }
        return bytes[index] == UInt8(ascii: ":")
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }
}
