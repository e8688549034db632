// SPDX-License-Identifier: Apache-2.0

import AlibabaCloudSMS
import Testing

struct ChinaTimeTests {
    @Test(arguments: [
        (1_709_222_399, "20240229"), (1_709_222_400, "20240301"), (1_709_308_799, "20240301"),
        (1_709_308_800, "20240302"), (1_735_660_799, "20241231"), (1_735_660_800, "20250101"), (0, "19700101"),
    ])
    func `begins a day at 16 o'clock UTC`(_ epochSeconds: Int, _ date: String) {
        #expect(ChinaTime.dateNumber(epochSeconds: epochSeconds) == UInt32(date))
    }

    @Test(arguments: [
        // 2024-03-02 00:00:00 in China is 1_709_308_800.
        (1_709_308_799, 20_240_301, 20_240_302), (1_709_308_500, 20_240_301, 20_240_302),
        (1_709_308_499, 20_240_301, 20_240_301), (1_709_308_800, 20_240_302, 20_240_301),
        (1_709_309_099, 20_240_302, 20_240_301), (1_709_309_100, 20_240_302, 20_240_302),
        (1_709_280_000, 20_240_301, 20_240_301),
        // The day is not that of the time: it stands.
        (1_709_308_799, 20_240_225, 20_240_225),
    ])
    func `asks for the neighbouring day in turn near midnight`(_ sentAt: Int, _ date: UInt32, _ second: UInt32) {
        let dates = (1...4).map { ChinaTime.dateNumber(date, orItsNeighbourAt: sentAt, attempt: $0) }
        #expect(dates == [date, second, date, second])
    }

    @Test func `days that cannot be written are no trap`() {
        #expect(ChinaTime.dateNumber(epochSeconds: -70_000_000_000) == 0)
    }

    @Test func `reads the service's times`() {
        #expect(ChinaTime.epochSeconds(of: "2024-03-01 16:00:00") == 1_709_280_000)
    }

    @Test(arguments: [
        "", "2024-03-01", "2024-03-01T16:00:00", "2024-03-01 16:00", "2024-03-01 16:00:00 ", "x 16:00:00",
    ])
    func `reads no other times`(_ text: String) {
        #expect(ChinaTime.epochSeconds(of: text) == nil)
    }
}
