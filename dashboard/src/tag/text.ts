/** Texts of tags on gates. */
export const zh = {
  tag: {
    word: '挂牌',
    until: '挂牌至 {until}',
    line: '已挂牌：{reason}（{by}，{at} 起，至 {until}）',
    gates: '挂牌的闸门',
    lift: '摘牌',
    unread: '未读到挂牌情况，不能据此认为没有挂牌：{detail}',
    again: '重新读取',
    liftRule: '只有 {by} 或值班长可以摘牌',
  },
}

export const en: typeof zh = {
  tag: {
    word: 'Tagged out',
    until: 'tagged, to {until}',
    line: 'Tagged out: {reason} ({by}, from {at} to {until})',
    gates: 'Gates that are tagged out',
    lift: 'Lift the tag',
    unread: 'The tags were not read: that none is shown does not mean that there is none. {detail}',
    again: 'Read again',
    liftRule: 'only {by} or a supervisor lifts it',
  },
}
