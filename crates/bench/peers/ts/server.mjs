// customers.get and customers.create as a user would write them with the TypeScript SDK: one table, durable writes.
import express from 'express'; import Database from 'better-sqlite3'; import {z} from 'zod'; import {randomBytes} from 'node:crypto';
import {McpServer} from '@modelcontextprotocol/sdk/server/mcp.js'; import {StreamableHTTPServerTransport} from '@modelcontextprotocol/sdk/server/streamableHttp.js';
const DB=process.env.DB??'data/peer.db', PORT=+(process.env.PORT??8092), KEY=process.env.API_KEY??'sk_test_0123456789abcdef0123456789abcdef', TENANT=Buffer.from((process.env.TENANT??'').replaceAll('-',''),'hex');
const db=new Database(DB); db.pragma('journal_mode=WAL'); db.pragma('synchronous=FULL'); db.pragma('cache_size=-16000'); db.pragma('busy_timeout=30000');
const COLS='id,type,first_name,last_name,company_name,display_name,phone_raw,phone_e164,email,status,created_at,updated_at,version';
const g=db.prepare(`SELECT ${COLS} FROM customers WHERE tenant_id=? AND id=?`), ins=db.prepare("INSERT INTO customers(tenant_id,id,type,first_name,last_name,display_name,phone_raw,phone_e164,email,status,created_at,updated_at,version) VALUES(?,?,'individual',?,?,?,?,?,?,'active',?,?,1)");
const us=b=>{const h=b.toString('hex');return `${h.slice(0,8)}-${h.slice(8,12)}-${h.slice(12,16)}-${h.slice(16,20)}-${h.slice(20)}`};
const v7=()=>{const b=randomBytes(16);b.writeUIntBE(Date.now(),0,6);b[6]=0x70|b[6]&15;b[8]=0x80|b[8]&63;return b};
const out=o=>({content:[{type:'text',text:JSON.stringify(o)}],structuredContent:o});
function make(tenant){const s=new McpServer({name:'crm',version:'1'});
 s.registerTool('customers.get',{description:'get a customer',inputSchema:{id:z.string()}},async({id})=>{const r=g.get(tenant,Buffer.from(id.replaceAll('-',''),'hex')); if(!r) return {isError:true,content:[{type:'text',text:'not found'}]}; return out({...r,id:us(r.id)})});
 s.registerTool('customers.create',{description:'create a customer',inputSchema:{first_name:z.string(),last_name:z.string(),phone:z.string().optional(),email:z.string().optional()}},async(a)=>{const id=v7(),now=Date.now(),dn=`${a.first_name} ${a.last_name}`; ins.run(tenant,id,a.first_name,a.last_name,dn,a.phone??null,a.phone??null,a.email??null,now,now); return out({id:us(id),type:'individual',first_name:a.first_name,last_name:a.last_name,company_name:null,display_name:dn,phone_raw:a.phone??null,phone_e164:a.phone??null,email:a.email??null,status:'active',created_at:now,updated_at:now,version:1})});
 return s}
const app=express(); app.use(express.json());
app.post('/mcp',async(req,res)=>{ if(req.headers.authorization!==`Bearer ${KEY}`) return res.status(401).end(); const server=make(TENANT); const t=new StreamableHTTPServerTransport({sessionIdGenerator:undefined,enableJsonResponse:true}); res.on('close',()=>{t.close();server.close()}); await server.connect(t); await t.handleRequest(req,res,req.body)});
app.listen(PORT,'127.0.0.1');
