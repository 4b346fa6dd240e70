/** Why a device is gone: drivers say it in one language; here is which of the console's texts says the same. Pure. */

export interface Loss {
  /** The name of the console's text; `other`: the driver's own words, in `why`. */
  key: string;
  words: Record<string, string>;
}

/** What drivers say, the first that fits; `tests/drivers/losses.json` names every reason that a driver can give. */
const KNOWN: readonly [string, RegExp, readonly string[]][] = [
  ["silent", /^unit (\d+) did not answer within ([\d.]+) s$/, ["unit", "seconds"]],
  ["unanswered", /^(\S+) did not answer within ([\d.]+) s$/, ["device", "seconds"]],
  ["mute", /^it does not answer$/, []],
  ["quiet", /^nothing heard for ([\d.]+) s$/, ["seconds"]],
  ["offline", /^it says that it is offline$/, []],
  ["noFrames", /^Frigate says that it gives no frames$/, []],
  ["noKey", /^it has no key yet: set one \(install\)$/, []],
  ["keyRefused", /^it answers, but not with its key: .*$/, []],
  ["keyFile", /^(?:the key file (\S+) cannot be read: .*|(\S+) is no key file)$/, ["file", "file"]],
  ["refuses", /^it refuses (.+)$/, ["what"]],
  ["password", /^the camera refuses the name or the password \((\d+)\)$/, ["code"]],
  ["noEvents", /^the camera answers (\d+) and gives no events$/, ["code"]],
  ["streamEnded", /^it ended the stream$/, []],
  ["passwordFile", /^(?:the site's broker \S+ cannot be reached: )?the password file (\S+) cannot be read.*$/, ["file"]],
  ["broker", /^the site's broker (\S+) cannot be reached: .*$/, ["where"]],
  ["otherMeter", /^\S+: the meter (\S+) .*answers instead of (\S+)$/, ["found", "expected"]],
  ["otherNumber", /^the meter (\S+) says of itself that it is another one.*$/, ["found"]],
  ["encrypted", /^the meter's data are encrypted.*$/, []],
  ["late", /^the device answers late$/, []],
  ["converter", /^(?:the converter has no way to the device|the device behind the converter does not answer)$/, []],
  ["foreign", /^.*the answer is another .*$/, []],
  ["gone", /^(\S+) is gone(?:: .*)?$/, ["where"]],
  ["closed", /^(\S+) (?:was closed(?: by the other end)?(?:: .*)?|broke the stream off)$/, ["where"]],
  ["noise", /^(\S+) sent bytes that are no Modbus answer$/, ["where"]],
  ["stuck", /^(\S+) takes no bytes$/, ["where"]],
  ["missingPort", /^(\/\S+) cannot be opened: .*No such file.*$/, ["where"]],
  ["busyPort", /^(\/\S+) cannot be opened: .*(?:exclusively lock|Resource temporarily unavailable|busy).*$/, ["where"]],
  ["port", /^(\/\S+) (?:cannot be opened(?:: .*)?|is not open)$/, ["where"]],
  ["unreachable", /^(\S+) (?:cannot be opened(?:: .*)?|cannot be reached(?:: .*)?|is not open)$/, ["where"]],
  ["nobody", /^nobody answers at (\S+)$/, ["where"]],
  ["fault", /^a fault inside the gateway$/, []],
  ["damaged", /^(?:a damaged answer or echo|.*\[(?:[0-9a-f]{2} ?)+\])$/, []],
];

export function lossOf(why: string): Loss {
  for (const [key, pattern, names] of KNOWN) {
    const found = pattern.exec(why);
    if (found === null) continue;
    const words: Record<string, string> = {};
    names.forEach((name, place) => {
      words[name] ||= found[place + 1] ?? "";
    });
    return { key, words };
  }
  return { key: "other", words: { why } };
}
