/**
 * `-m time`: time of day, day of the week or month, date.
 *
 *     --timestart 08:00 --timestop 17:00 --weekdays Mon,Tue   →   meta hour 28800-61200 meta day { 1, 2 }
 *     --timestart 22:00 --timestop 06:00                      →   meta hour != 21601-79199
 *     --datestart 2027-01-01                                  →   meta time >= 1798761600
 *
 * iptables counts in UTC. nft reads a quoted "08:00" in the time zone of whoever loads the script, and a bare number as
 * seconds of UTC, so numbers are written: seconds since midnight and since 1970, days from Sunday = 0. `nft list` shows them in
 * local time. The kernel takes `meta day` from its own time zone, which is UTC unless something set it (nft_meta_weekday).
 * After 2038-01-19T03:14:07 iptables matches nothing.
 *
 * man iptables-extensions, section "time".
 */

import { compare, match, meta, number, oneOf, range, setReference, type Expression, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type Remark, type RuleContext, type ValueParser } from "../extension.js";

const secondsPerDay = 86400;
/** 2038-01-19T03:14:07, in seconds since 1970: the end where no date is given, and for us no end. */
const lastSecond = 0x7fffffff;
/** The last second that iptables can name. */
const lastNamed = Date.UTC(2038, 11, 31, 23, 59, 59) / 1000;
const allMonthDays = Array.from({ length: 31 }, (_, index) => index + 1);
/** Sunday first, as nft counts. */
const dayNames = ["su", "mo", "tu", "we", "th", "fr", "sa"];
/** The first year whose month days are written out. */
const firstYear = 2020;

/** Seconds since midnight. */
const timeOfDay: ValueParser<number> = (text) => {
  const parts = /^([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?$/.exec(text);
  if (!parts) return new Invalid(`"${text}" is not a time of day (hh:mm or hh:mm:ss)`);
  const [hour, minute, second] = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)];
  return hour > 23 || minute > 59 || second > 59
    ? new Invalid(`"${text}" is not a time of day (hh:mm or hh:mm:ss)`)
    : hour * 3600 + minute * 60 + second;
};

/** Seconds since 1970. */
const date: ValueParser<number> = (text) => {
  const parts = /^([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:T(?:([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2}))?)?)?)?)?)?$/.exec(text);
  if (!parts) return new Invalid(`"${text}" is not a date (YYYY[-MM[-DD[Thh[:mm[:ss]]]]])`);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) {
    return new Invalid(`"${text}" is not a date (YYYY[-MM[-DD[Thh[:mm[:ss]]]]])`);
  }
  const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
  return seconds < 0 || seconds > lastNamed ? new Invalid(`"${text}" is not between 1970-01-01 and the end of 2038`) : seconds;
};

/** Words between commas; one at the end is passed over. */
const listed = (text: string): readonly string[] => text.replace(/,$/, "").split(",");

const monthDays: ValueParser<readonly number[]> = (text) => {
  const days = new Set<number>();
  for (const word of listed(text)) {
    if (!/^0*(?:[1-9]|[12][0-9]|3[01])$/.test(word)) return new Invalid(`"${word}" is not a day of the month`);
    days.add(Number(word));
  }
  return allMonthDays.filter((day) => days.has(day));
};

/** Days from Sunday = 0. iptables numbers them from Monday = 1 and reads two letters of a name. */
const weekDays: ValueParser<readonly number[]> = (text) => {
  const days = new Set<number>();
  for (const word of listed(text)) {
    const named = dayNames.findIndex((name) => word.toLowerCase().startsWith(name));
    if (named !== -1) days.add(named);
    else if (/^0*[1-7]$/.test(word)) days.add(Number(word) % 7);
    else return new Invalid(`"${word}" is not a day of the week`);
  }
  return dayNames.map((_, index) => index).filter((day) => days.has(day));
};

/** What the days of a rule leave: no restriction, or the days. */
interface Days {
  /** From Sunday = 0; absent for all. */
  readonly week?: readonly number[];
  /** Absent for all. */
  readonly month?: readonly number[];
}

/** Days that `meta day` and the calendar show, a day later if the packet belongs to a night that began the day before. */
function dayStatements(days: Days, nextDay: boolean, context: RuleContext): Statement[] {
  const statements: Statement[] = [];
  if (days.week) {
    const shown = days.week.map((day) => (nextDay ? (day + 1) % 7 : day)).sort((a, b) => a - b);
    statements.push(match(meta("day"), oneOf(shown.map((day) => number(day)))));
  }
  if (days.month) {
    const named = days.month.length <= 5 ? days.month.join("_") : days.month.reduce((bits, day) => bits + 2 ** (day - 1), 0).toString(16);
    const set = context.declare.sharedSet(`monthdays_${named}${nextDay ? "_next" : ""}`, {
      typeof: meta("time"),
      flags: ["interval"],
      elements: monthDayIntervals(days.month, nextDay ? secondsPerDay : 0),
    });
    statements.push(match(meta("time"), setReference(set)));
  }
  return statements;
}

/** The days as intervals of seconds since 1970, from `firstYear` to the end of iptables' calendar. */
function monthDayIntervals(days: readonly number[], shift: number): Expression[] {
  const intervals: { from: number; to: number }[] = [];
  for (let month = 0; ; month++) {
    for (const day of days) {
      const start = new Date(Date.UTC(firstYear, month, day));
      if (start.getUTCDate() !== day) continue;
      const from = start.getTime() / 1000 + shift;
      if (from > lastSecond) return intervals.map((interval) => range(number(interval.from), number(interval.to)));
      const last = intervals.at(-1);
      if (last?.to === from) last.to = from + secondsPerDay;
      else intervals.push({ from, to: from + secondsPerDay });
    }
  }
}

function hourStatements(start: number, stop: number): Statement[] {
  const hour = meta("hour");
  if (start < stop) {
    if (start === 0 && stop === secondsPerDay - 1) return [];
    if (start === 0) return [compare(hour, "<=", number(stop))];
    if (stop === secondsPerDay - 1) return [compare(hour, ">=", number(start))];
    return [match(hour, range(number(start), number(stop)))];
  }
  // The night: what is left out lies between, and is nothing if the two times meet.
  if (stop + 1 > start - 1) return [];
  return [match(hour, range(number(stop + 1), number(start - 1)), true)];
}

export const time = defineMatch({
  name: "time",
  options: {
    datestart: { value: date },
    datestop: { value: date },
    timestart: { value: timeOfDay },
    timestop: { value: timeOfDay },
    monthdays: { value: monthDays, invertible: true },
    weekdays: { value: weekDays, invertible: true },
    contiguous: {},
    kerneltz: { aliases: ["localtz"], excludes: ["utc"] },
    utc: {},
  },
  compared: ({ timestart, timestop, ...others }) => ({ ...others, from: timestart?.value ?? 0, to: timestop?.value ?? 24 * 3600 - 1 }),
  facts: {
    reads: ["time"],
    condition: [],
    played: "it asks for the time of day",
  },
  translate({ datestart, datestop, timestart, timestop, monthdays, weekdays, contiguous, kerneltz }, context): MatchTranslation {
    const approximations: Remark[] = [];
    const dates: Statement[] = [];
    if ((datestart?.value ?? 0) > (datestop?.value ?? lastSecond)) return { never: "it ends before it begins" };
    if (datestart && datestart.value > 0) dates.push(compare(meta("time"), ">=", number(datestart.value)));
    // The last second counts to its end.
    if (datestop && datestop.value !== lastSecond) dates.push(compare(meta("time"), "<", number(datestop.value + 1)));

    const start = timestart?.value ?? 0;
    const stop = timestop?.value ?? secondsPerDay - 1;
    const week = weekdays?.inverted ? [0, 1, 2, 3, 4, 5, 6].filter((day) => !weekdays.value.includes(day)) : weekdays?.value;
    const month = monthdays?.inverted ? allMonthDays.filter((day) => !monthdays.value.includes(day)) : monthdays?.value;
    if (week?.length === 0) return { never: "no day of the week is left" };
    if (month?.length === 0) return { never: "no day of the month is left" };
    const days: Days = {
      ...(week && week.length < 7 ? { week } : {}),
      ...(month && month.length < 31 ? { month } : {}),
    };

    if (kerneltz && (dates.length > 0 || days.month || hourStatements(start, stop).length > 0)) {
      approximations.push({
        message: "nft counts hours and dates in UTC: where the kernel has another time zone the rule holds earlier or later by its offset",
        at: kerneltz,
      });
    }
    if (!kerneltz && days.week) {
      approximations.push({
        message:
          "nft takes the day of the week from the kernel's time zone: where that is not UTC the day begins earlier or later by its offset",
        at: weekdays,
      });
    }
    if (days.month) {
      approximations.push({
        message: `the days are written out for ${firstYear} to 2038: a clock that shows an earlier year matches none`,
        at: monthdays,
      });
    }

    const isNight = start >= stop;
    if (contiguous && isNight && (days.week ?? days.month)) {
      const alternatives: Statement[][] = [[...dates, compare(meta("hour"), "<=", number(stop)), ...dayStatements(days, true, context)]];
      const evening = Math.max(start, stop + 1);
      if (evening < secondsPerDay)
        alternatives.push([...dates, compare(meta("hour"), ">=", number(evening)), ...dayStatements(days, false, context)]);
      return { alternatives, approximations };
    }
    return { statements: [...dates, ...hourStatements(start, stop), ...dayStatements(days, false, context)], approximations };
  },
});
