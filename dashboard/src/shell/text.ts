export const zh = {
  nav: {
    label: '主导航',
    situation: '总览',
    deadLetters: '未识别数据',
    menu: '菜单',
    group: { watch: '监视', operate: '调度', analyse: '分析', manage: '管理' },
  },
  goTo: {
    open: '转到…',
    title: '转到页面或闸门',
    hint: '输入页面、闸门、渠道名称或编号；↑↓ 选择，回车打开，Esc 关闭',
    nothing: '没有找到。',
    page: '页面',
    more: '另有 {n} 项，请继续输入。',
  },
}

export const en: typeof zh = {
  nav: {
    label: 'Main',
    situation: 'Overview',
    deadLetters: 'Dead letters',
    menu: 'Menu',
    group: { watch: 'Watch', operate: 'Operate', analyse: 'Analyse', manage: 'Manage' },
  },
  goTo: {
    open: 'Go to…',
    title: 'Go to a page or a gate',
    hint: 'Type a page, gate, canal or id; ↑↓ to choose, Enter to open, Esc to close',
    nothing: 'Nothing found.',
    page: 'Page',
    more: '{n} more: go on typing.',
  },
}
