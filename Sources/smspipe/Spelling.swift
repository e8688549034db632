// SPDX-License-Identifier: Apache-2.0

/// Finds what somebody meant who wrote something that there is not.
enum Spelling {
    /// The word that a text is nearly: the same but for case, `_` and `-`, or with a letter or two wrong.
    ///
    /// - Parameters:
    ///   - text: What was written, which is none of the words.
    ///   - words: What there is.
    /// - Returns: The nearest word; `nil` if none is near. Short texts are near to too many.
    static func nearest(to text: String, among words: some Sequence<String>) -> String? {
        let letters = letters(of: text)
        var nearest: (word: String, distance: Int)?
        for word in words {
            let distance = distance(letters, Self.letters(of: word))
            guard distance <= (letters.count < 6 ? 0 : letters.count < 8 ? 1 : 2) else { continue }
            if distance < nearest?.distance ?? .max { nearest = (word, distance) }
        }
        return nearest?.word
    }

    private static func letters(of text: String) -> [Character] {
        text.lowercased().filter { $0 != "_" && $0 != "-" }
    }

    /// How many letters are to be changed, put in or left out to make one text of the other.
    private static func distance(_ one: [Character], _ other: [Character]) -> Int {
        var distances = Array(0...other.count)
        for (row, letter) in one.enumerated() {
            var diagonal = distances[0]
            distances[0] = row + 1
            for (column, otherLetter) in other.enumerated() {
                let changed = diagonal + (letter == otherLetter ? 0 : 1)
                diagonal = distances[column + 1]
                distances[column + 1] = min(changed, diagonal + 1, distances[column] + 1)
            }
        }
        return distances[other.count]
    }
}
