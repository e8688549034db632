// A program that keeps one smspipe running and sends through it whenever it has something to send.
//
//     smspipe simulate -- node examples/node/keep_sending.mjs
//
// smspipe writes one line for each that it reads, in the same order: so the oldest message that has no answer gets the next one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

class Smspipe {
  #process;
  #ended;
  #waiting = [];

  // `--linger 0` sends what is there as soon as no more is ready to be read: alone, or with what came meanwhile.
  constructor(...options) {
    const command = process.env.SMSPIPE ?? "smspipe";
    this.#process = spawn(command, ["--linger", "0", ...options], { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = once(this.#process, "close");
    // A smspipe that is gone is told by the end of its output.
    this.#process.stdin.on("error", () => {});
    createInterface({ input: this.#process.stdout })
      .on("line", (line) => this.#waiting.shift().resolve(JSON.parse(line)))
      .on("close", () => {
        // Only a killed smspipe leaves lines without an answer. They may have been sent: `--journal` tells the next run.
        for (const { reject } of this.#waiting.splice(0)) reject(new Error("smspipe has ended without an answer"));
      });
  }

  // Sends a message; the promise is of its response: an object with Outcome, Code, BizId, …
  send(message) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#process.stdin.write(JSON.stringify(message) + "\n");
    });
  }

  // Sends what is left, awaits the answers and returns smspipe's exit status.
  async close() {
    this.#process.stdin.end();
    const [status] = await this.#ended;
    return status;
  }
}

const smspipe = new Smspipe();
const numbers = ["13800000001", "not a number", "13800000003"];
const responses = await Promise.all(
  numbers.map((number, place) =>
    smspipe.send({
      PhoneNumber: number,
      SignName: "云通信",
      TemplateCode: "SMS_71175823",
      TemplateParam: { code: `${1000 + place}` },
    }),
  ),
);
for (const { PhoneNumber, Outcome, Code } of responses) console.log(PhoneNumber, Outcome, Code);
console.log("status", await smspipe.close());
