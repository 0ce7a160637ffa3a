// The time axis of a waterfall: from microseconds to the drawn axis from 0 to 1, and back.

// Folded gaps, pairs of microseconds in order, take a fiftieth of the busy time each.
export function makeScale(span, gaps) {
  const pieces = [];
  let at = 0;
  let drawn = 0;
  const busy = span - gaps.reduce((sum, [from, to]) => sum + to - from, 0);
  const narrow = Math.max(busy, 1) / 50;
  for (const [from, to] of gaps) {
    pieces.push([at, from, drawn, drawn + from - at]);
    drawn += from - at;
    pieces.push([from, to, drawn, drawn + narrow]);
    drawn += narrow;
    at = to;
  }
  pieces.push([at, span, drawn, drawn + span - at]);
  const whole = pieces.at(-1)[3] || 1;
  for (const piece of pieces) {
    piece[2] /= whole;
    piece[3] /= whole;
  }

  return {
    drawnAt(time) {
      for (const [from, to, left, right] of pieces) {
        if (time <= to) return to === from ? left : left + ((time - from) / (to - from)) * (right - left);
      }
      return 1;
    },
    timeAt(place) {
      for (const [from, to, left, right] of pieces) {
        if (place <= right) return right === left ? from : from + ((place - left) / (right - left)) * (to - from);
      }
      return span;
    },
  };
}
